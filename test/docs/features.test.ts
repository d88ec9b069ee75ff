// Runs stock tf.layers, so that its columns in FEATURES.md, README.md and
// docs/migrating.md stay true: a cell that a new tf.js makes wrong fails here.
import * as tf from '@tensorflow/tfjs';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expectClose} from '../support/close.js';
import {
  difference,
  kernelsOf,
  randomTensor,
  valuesOf,
} from '../support/tensors.js';
import {ROOT} from './blocks.js';

const {batchNormalization, layerNormalization} = tf.layers;

const KINDS = [
  ['batch normalization', batchNormalization],
  ['layer normalization', layerNormalization],
] as const;

/** Options that the types do not know. */
const unknownOptions = (options: object): object => options;

function built<L extends tf.layers.Layer>(layer: L, shape: number[]): L {
  layer.build([null, ...shape.slice(1)]);
  return layer;
}

const train = (layer: tf.layers.Layer, x: tf.Tensor): tf.Tensor =>
  layer.apply(x, {training: true}) as tf.Tensor;

/** Fits a model of one layer, and returns the layer. */
async function fitted(
  layer: tf.layers.Layer,
  x: tf.Tensor,
): Promise<tf.layers.Layer> {
  const model = tf.sequential({layers: [layer]});
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  await model.fit(x, tf.zerosLike(x), {verbose: 0});
  return layer;
}

/** gamma, beta, and the moving mean and variance. */
const weightsOf = (layer: tf.layers.Layer): number[][] =>
  layer.getWeights().map(valuesOf);

it('these are the layers of the tf.js that the pages name', () => {
  for (const page of ['FEATURES.md', 'README.md', 'docs/migrating.md']) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    expect([page, text]).toEqual([page, expect.stringContaining('4.22')]);
  }
  expect(tf.version_layers).toMatch(/^4\.22\./);
});

it('tf.layers has two normalizations', () => {
  const names = Object.keys(tf.layers).filter((name) => /norm/i.test(name));
  expect(names).toEqual(['batchNormalization', 'layerNormalization']);
});

describe.each(KINDS)('stock %s', (_, make) => {
  it.each([{scale: false}, {center: false}])(
    'throws in training with %p',
    async (options) => {
      const layer = make({...options, inputShape: [4]});
      await expect(fitted(layer, randomTensor([6, 4], 1))).rejects.toThrow(
        'Cannot read properties of undefined',
      );
    },
  );

  it.each([5, 6])('throws at rank %d', (rank) => {
    const shape = [3, 2, 4, 2, 3, 2].slice(0, rank);
    expect(() => train(built(make({}), shape), tf.ones(shape))).toThrow(
      `not implemented for array of rank ${rank}`,
    );
  });

  it('cuts results for integers to integers, on cpu', () => {
    const x = tf.tensor2d([0, 1, 1, 1, 0, 0], [3, 2], 'int32');
    const y = train(built(make({}), [3, 2]), x);
    expect(y.dtype).toBe('int32');
  });

  it('drops unknown options', () => {
    const options = unknownOptions({renorm: true, virtualBatchSize: 2, foo: 1});
    expect(Object.keys(make(options).getConfig())).not.toEqual(
      expect.arrayContaining(['renorm', 'virtualBatchSize', 'foo']),
    );
  });

  it('can be differentiated twice', () => {
    const layer = built(make({}), [3, 4]);
    const f = (x: tf.Tensor): tf.Scalar =>
      tf.sum(tf.mul(tf.square(train(layer, x)), x));
    const penalty = (x: tf.Tensor): tf.Scalar =>
      tf.sum(tf.square(tf.grad(f)(x)));
    const dx = valuesOf(tf.grad(penalty)(randomTensor([3, 4], 2)));
    expect(dx.some((value) => value !== 0)).toBe(true);
    expect(dx.every(Number.isFinite)).toBe(true);
  });
});

describe('stock batch normalization', () => {
  it('over axis 1 predicts wrong numbers on cpu', () => {
    const weights = [
      [1, 2, 3],
      [4, 5, 6],
      [0.1, 0.2, 0.3],
      [1, 2, 4],
    ].map((values) => tf.tensor1d(values));
    const x = randomTensor([2, 3, 2, 2], 7);
    const first = built(batchNormalization({axis: 1}), [2, 3, 2, 2]);
    const last = built(batchNormalization({}), [2, 2, 2, 3]);
    for (const layer of [first, last]) layer.setWeights(weights);
    const expected = last.apply(tf.transpose(x, [0, 2, 3, 1])) as tf.Tensor;
    const y = first.apply(x) as tf.Tensor;
    const off = difference(y, tf.transpose(expected, [0, 3, 1, 2]));
    expect(off).toBeGreaterThan(1);
  });

  it('over axis 1 throws in training', async () => {
    const layer = batchNormalization({axis: 1, inputShape: [3, 4, 4]});
    await expect(fitted(layer, randomTensor([8, 3, 4, 4], 3))).rejects.toThrow(
      'must match the product of shape',
    );
  });

  it.each([
    [[-1], 'Axis -14 of input tensor'],
    [[1, 3], 'Axis 1,34 of input tensor'],
  ])('throws for the axes %p', (axis, message) => {
    const options = unknownOptions({axis});
    expect(() => built(batchNormalization(options), [2, 3, 2, 2])).toThrow(
      message,
    );
  });

  it('trains on the batch, and moves the averages, when it is frozen', () => {
    const x = tf.tensor2d([0, 1, 1, 1, 5, 0], [3, 2]);
    const layer = built(batchNormalization({}), [3, 2]);
    layer.trainable = false;
    const y = train(layer, x);
    expect(Math.abs(valuesOf(tf.sum(y))[0] ?? NaN)).toBeLessThan(1e-4);
    expect(weightsOf(layer)[2]?.[0]).toBeGreaterThan(0.01);
  });

  it('counts the padding', async () => {
    const masking = tf.layers.masking({inputShape: [4, 1]});
    const layer = batchNormalization({momentum: 0});
    const model = tf.sequential({layers: [masking, layer]});
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const x = tf.tensor3d([5, 5, 0, 0], [1, 4, 1]);
    await model.fit(x, tf.zerosLike(x), {verbose: 0});
    expect(weightsOf(layer)[2]).toEqual([2.5]);
  });

  it('uses the batch at a call, and not in predict', () => {
    const layer = batchNormalization({inputShape: [1]});
    const model = tf.sequential({layers: [layer]});
    const x = tf.tensor2d([9, 11], [2, 1]);
    const called = valuesOf(model.apply(x, {training: true}) as tf.Tensor);
    expect(called[0]).toBeCloseTo(-1, 2);
    const predicted = valuesOf(model.predict(x) as tf.Tensor);
    expect(predicted[0]).toBeGreaterThan(8);
  });

  it('writes a variance of 0 for one example', () => {
    const layer = built(batchNormalization({momentum: 0}), [1, 2]);
    train(layer, tf.tensor2d([3, 1], [1, 2]));
    expect(weightsOf(layer)[3]).toEqual([0, 0]);
  });

  it('has averages of NaN after one batch with NaN', () => {
    const layer = built(batchNormalization({}), [2, 2]);
    train(layer, tf.tensor2d([3, 1, NaN, 2], [2, 2]));
    train(layer, tf.ones([2, 2]));
    const [, , mean = [], variance = []] = weightsOf(layer);
    expect([mean[0], variance[0]]).toEqual([NaN, NaN]);
    expect([mean[1], variance[1]].every(Number.isFinite)).toBe(true);
  });

  it('never applies a constraint in training', async () => {
    const gammaConstraint = tf.constraints.maxNorm({maxValue: 0.1});
    const layer = batchNormalization({gammaConstraint, inputShape: [2]});
    await fitted(layer, randomTensor([8, 2], 1));
    expect(weightsOf(layer)[0]?.[0]).toBeGreaterThan(0.5);
  });

  it('has no statistics to reset', () => {
    expect(batchNormalization({})).not.toHaveProperty('resetStatistics');
  });
});

describe('stock layer normalization', () => {
  const kernels = async (shape: number[]): Promise<number> => {
    const layer = built(layerNormalization({}), shape);
    const x = randomTensor(shape, 1);
    const weights = layer.trainableWeights.map((weight) => weight.read());
    const step = tf.grads((input, ...rest) => {
      expect(rest).toHaveLength(weights.length);
      return train(layer, input);
    });
    return (await kernelsOf(() => step([x, ...weights], x))).length;
  };

  it('takes 100 kernels for a training step, and more for larger inputs', async () => {
    const counts = [
      await kernels([2, 4]),
      await kernels([16, 64]),
      await kernels([16, 32, 64]),
    ];
    expect(counts).toEqual([103, 399, 2383]);
  });

  it.each([1, [1, 2], [1, 2, 3]])('normalizes over axis %p', async (axis) => {
    const shape = [2, 3, 4, 5];
    const x = randomTensor(shape, 4);
    const y = built(layerNormalization({axis}), shape).apply(x) as tf.Tensor;
    const mean = tf.mean(y, axis);
    // The mean of up to 60 values near 1: a rounding for each of them.
    await expectClose(mean, valuesOf(tf.zerosLike(mean)), {
      what: 'mean',
      roundings: 60,
      scale: 1,
    });
  });
});

it('tf.js has no half precision, and no complex batch normalization', () => {
  const float16 = 'float16' as 'float32';
  expect(() => tf.tensor([1], [1], float16)).toThrow('float16');
  const x = tf.complex(tf.ones([3, 2]), tf.ones([3, 2]));
  const layer = built(batchNormalization({}), [3, 2]);
  expect(() => train(layer, x)).toThrow('complex64');
});

it('tf.js refuses a model.json of Keras 3', async () => {
  const topology = {
    class_name: 'Sequential',
    config: {
      name: 'sequential',
      trainable: true,
      layers: [
        {
          module: 'keras.layers',
          class_name: 'InputLayer',
          config: {batch_shape: [null, 3], dtype: 'float32', name: 'input'},
        },
        {
          module: 'keras.layers',
          class_name: 'BatchNormalization',
          config: {name: 'batch_normalization', axis: -1, dtype: 'float32'},
        },
      ],
    },
  };
  const modelTopology = {model_config: topology, keras_version: '3.15.1'};
  await expect(
    tf.loadLayersModel(tf.io.fromMemory({modelTopology})),
  ).rejects.toThrow('An InputLayer should be passed either');
});
