// Defects of stock tf.js 4.22 that these layers do not have. The numbers are
// those of the issues at github.com/tensorflow/tfjs.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {
  difference,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';
import {trainsStockLayers} from '../support/stock_training.js';

const FLAGS = [true, false];

const COMBINATIONS = FLAGS.flatMap((scale) =>
  FLAGS.map((center) => ({scale, center})),
);

type Make = (args: {
  scale: boolean;
  center: boolean;
  inputShape: number[];
}) => tf.layers.Layer;

const LAYERS: Array<[string, Make]> = [
  ['BatchNorm', batchNorm],
  ['LayerNorm', layerNorm],
];

describe.each(LAYERS)('%s', (_, make) => {
  // #2868, open since 2020: "BatchNormalization does not work if scale=false
  // while training"; #5939 for layer normalization.
  it.each(COMBINATIONS)(
    'trains with scale $scale and center $center (#2868)',
    async ({scale, center}) => {
      const model = tf.sequential();
      const layer = make({scale, center, inputShape: [4]});
      model.add(layer);
      model.add(tf.layers.dense({units: 1}));
      trainsStockLayers();
      model.compile({optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError'});
      const x = randomTensor([16, 4], 1);
      const y = tf.sum(x, 1, true);
      const {history} = await model.fit(x, y, {epochs: 5, verbose: 0});
      const losses = history.loss as number[];
      expect(losses[4]).toBeLessThan(losses[0] ?? NaN);
      const names = Object.keys(weightsOf(layer));
      expect(names.filter((name) => !name.startsWith('moving'))).toEqual([
        ...(scale ? ['gamma'] : []),
        ...(center ? ['beta'] : []),
      ]);
    },
  );

  // #2504, #5843: "batchNormalization is not implemented for array of rank 5".
  it.each([2, 3, 4, 5, 6])('takes rank %d and trains (#5843)', (rank) => {
    const shape = [3, 2, 4, 2, 3, 2].slice(0, rank);
    const x = randomTensor(shape, rank);
    const layer = make({scale: true, center: true, inputShape: shape.slice(1)});
    const f = (a: tf.Tensor): tf.Tensor =>
      tf.square(layer.apply(a, {training: true}) as tf.Tensor);
    const dx = tf.grad(f)(x);
    expect(dx.shape).toEqual(shape);
    expect(valuesOf(dx).every(Number.isFinite)).toBe(true);
    expect((layer.apply(x) as tf.Tensor).shape).toEqual(shape);
  });

  it.each(['int32', 'bool'] as const)('casts %s inputs to float32', (dtype) => {
    const x = tf.tensor2d(
      [
        [0, 1],
        [1, 1],
        [0, 0],
      ],
      [3, 2],
      dtype,
    );
    const float = tf.cast(x, 'float32');
    const layer = make({scale: true, center: true, inputShape: [2]});
    for (const training of FLAGS) {
      const y = layer.apply(x, {training}) as tf.Tensor;
      expect(y.dtype).toBe('float32');
      const fresh = make({scale: true, center: true, inputShape: [2]});
      const expected = fresh.apply(float, {training}) as tf.Tensor;
      if (training) expect(difference(y, expected)).toBe(0);
    }
  });
});

describe('BatchNorm: axis', () => {
  // #1106, closed unfixed: cpu and wasm take every axis for the last.
  it('1 on channels-first images is right in inference (#1106)', () => {
    const x = randomTensor([2, 3, 2, 2], 7);
    const last = batchNorm();
    const first = batchNorm({axis: 1});
    const toLast = (a: tf.Tensor): tf.Tensor => tf.transpose(a, [0, 2, 3, 1]);
    last.build([null, 2, 2, 3]);
    first.build([null, 3, 2, 2]);
    const weights = [
      tf.tensor1d([1, 2, 3]),
      tf.tensor1d([4, 5, 6]),
      tf.tensor1d([0.1, 0.2, 0.3]),
      tf.tensor1d([1, 2, 4]),
    ];
    last.setWeights(weights);
    first.setWeights(weights);
    const y = first.apply(x) as tf.Tensor;
    const expected = last.apply(toLast(x)) as tf.Tensor;
    // The same product and sum, of gammas and betas of up to 6.
    expectCloseNow(toLast(y), expected, {what: 'y', roundings: 2, scale: 8});
  });

  // #1773: "Size(72) must match the product of shape 1,3,1,1".
  it.each([1, -3])(
    '%d trains on channels-first images (#1773)',
    async (axis) => {
      const model = tf.sequential();
      model.add(batchNorm({axis, inputShape: [3, 4, 4]}));
      model.add(tf.layers.flatten());
      model.add(tf.layers.dense({units: 1}));
      trainsStockLayers();
      model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
      const x = randomTensor([8, 3, 4, 4], 3);
      const {history} = await model.fit(x, tf.ones([8, 1]), {
        epochs: 3,
        verbose: 0,
      });
      const losses = history.loss as number[];
      expect(losses[2]).toBeLessThan(losses[0] ?? NaN);
    },
  );

  it('as a list, [-1] and [3], is the last (Keras 2 writes [3])', () => {
    const x = randomTensor([2, 2, 3, 4], 5);
    const outputs = [-1, [3], [-1]].map(
      (axis) => batchNorm({axis}).apply(x, {training: true}) as tf.Tensor,
    );
    const [expected, ...others] = outputs as [tf.Tensor, ...tf.Tensor[]];
    for (const y of others) expect(difference(y, expected)).toBe(0);
  });

  it('of several features has a weight for each', () => {
    const layer = batchNorm({axis: [3, 1]});
    layer.build([null, 2, null, 5]);
    expect(layer.weights.map(({shape}) => shape)).toEqual(
      Array(4).fill([2, 5]),
    );
  });

  it('of the user is not changed', () => {
    const axis = [-1, 1];
    const layer = layerNorm({axis});
    layer.build([null, 3, 4]);
    expect(axis).toEqual([-1, 1]);
    expect(layer.getConfig().axis).toEqual([-1, 1]);
    axis.push(9);
    expect(layer.getConfig().axis).toEqual([-1, 1]);
  });

  it('0 is a feature axis too, where its length is known', () => {
    const x = randomTensor([3, 5], 9);
    const y = batchNorm({axis: 0}).apply(x, {training: true}) as tf.Tensor;
    const expected = batchNorm().apply(tf.transpose(x), {training: true});
    // A mean, a variance, a root and a product, in another order.
    expectCloseNow(tf.transpose(y), expected as tf.Tensor, {
      what: 'y',
      roundings: 8,
      scale: 2,
    });
  });

  it('works with unknown batch and spatial sizes', () => {
    const input = tf.input({batchShape: [null, null, null, 3]});
    const output = batchNorm().apply(input) as tf.SymbolicTensor;
    const model = tf.model({inputs: input, outputs: output});
    for (const shape of [
      [2, 4, 5, 3],
      [1, 1, 1, 3],
      [3, 7, 2, 3],
    ]) {
      const y = model.predict(tf.ones(shape)) as tf.Tensor;
      expect(y.shape).toEqual(shape);
    }
  });
});

describe('BatchNorm: the stale mask of the executor', () => {
  it('breaks nothing: a mask of another layer is ignored', () => {
    const input = tf.input({shape: [4]});
    const embedded = tf.layers
      .embedding({inputDim: 5, outputDim: 3, maskZero: true})
      .apply(input);
    const encoded = tf.layers.lstm({units: 2}).apply(embedded);
    const output = batchNorm().apply(encoded) as tf.SymbolicTensor;
    const model = tf.model({inputs: input, outputs: output});
    // The mask that arrives is [1, 4], the input [1, 2].
    const y = model.predict(tf.tensor2d([[1, 2, 0, 0]])) as tf.Tensor;
    expect(valuesOf(y).every(Number.isFinite)).toBe(true);
  });
});
