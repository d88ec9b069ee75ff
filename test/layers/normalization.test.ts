// Normalization: Keras's numbers, adapt, what is refused, files, memory.
import * as tf from '@tensorflow/tfjs';
import {
  type FeatureData,
  normalization,
  type NormalizationArgs,
} from 'tfjs-normalization';
import {readFixture} from '../fixtures/fixtures.js';
import {expectClose} from '../support/close.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';
import {cutInto} from '../support/datasets.js';
import {adapted} from '../support/adapted.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_family.py.
const {normalization: CASES} = readFixture('keras_family');

/** What a layer gives for x, and the gradient of Σ y · dy. */
function run(
  layer: tf.layers.Layer,
  x: tf.Tensor,
  dy: tf.Tensor,
): {y: tf.Tensor; dx: tf.Tensor} {
  const y = layer.apply(x) as tf.Tensor;
  return {y, dx: tf.grad((a) => layer.apply(a) as tf.Tensor)(x, dy)};
}

/** A model's artifacts, as it saves them. */
async function saved(model: tf.LayersModel): Promise<tf.io.ModelArtifacts> {
  let found: tf.io.ModelArtifacts = {};
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      found = artifacts;
      const modelArtifactsInfo = {
        dateSaved: new Date(),
        modelTopologyType: 'JSON' as const,
      };
      return Promise.resolve({modelArtifactsInfo});
    }),
  );
  return found;
}

describe.each(CASES)('Keras, $name', (given) => {
  const {shape, options, weights, x, dy, data} = given;

  it('agrees', async () => {
    const layer = normalization(options);
    layer.build([null, ...shape.slice(1)]);
    const names = layer.weights.map(({originalName, dtype, trainable}) => [
      originalName,
      dtype,
      trainable,
    ]);
    const isAdapted = options.mean === undefined;
    expect(names).toEqual(
      isAdapted
        ? [
            [`${layer.name}/mean`, 'float32', false],
            [`${layer.name}/variance`, 'float32', false],
            [`${layer.name}/count`, 'int32', false],
          ]
        : [],
    );
    if (isAdapted) {
      await layer.adapt(tf.tensor(data, [9, ...shape.slice(1)]));
      const {mean = [], variance = []} = weightsOf(layer);
      // Float64 is rounded once.
      await expectClose(mean, weights.mean ?? [], {what: 'mean', roundings: 2});
      await expectClose(variance, weights.variance ?? [], {
        what: 'variance',
        roundings: 2,
      });
    }
    const {y, dx} = run(layer, tf.tensor(x, shape), tf.tensor(dy, shape));
    // A difference of values of up to ten deviations, a root and a quotient.
    await expectClose(y, given.y, {what: 'y', roundings: 16, shape});
    await expectClose(dx, given.dx, {what: 'dx', roundings: 8, shape});
  });
});

describe('refused', () => {
  const built =
    (args: NormalizationArgs, shape: Array<number | null>) => (): void =>
      normalization({name: 'n', ...args}).build(shape);
  const made = (args: object) => (): unknown =>
    normalization({name: 'n', ...args});
  const adapting =
    (make: () => unknown, args: NormalizationArgs = {}) =>
    async (): Promise<void> => {
      const data = make() as FeatureData;
      const {numTensors} = tf.memory();
      try {
        await adapted(data, {name: 'n', ...args});
      } finally {
        expect(tf.memory().numTensors).toBe(numTensors);
      }
    };

  it.each<[string, () => unknown, string]>([
    [
      'a mean alone',
      made({mean: 1}),
      'Normalization n: mean and variance go together. Received: mean=1 and variance=null',
    ],
    [
      'a variance alone',
      made({variance: [1]}),
      'mean and variance go together. Received: mean=null and variance=[1]',
    ],
    [
      'a mean with more axes than are kept',
      made({mean: [[1], [2]], variance: 1}),
      'Normalization n: mean must have no more axes than are kept, which are 1. ' +
        'Received: mean=[[1],[2]]',
    ],
    [
      'an array for all values',
      made({axis: null, mean: [1, 2], variance: [1, 2]}),
      'mean must have no more axes than are kept, which are 0. Received: mean=[1,2]',
    ],
    [
      'a negative variance',
      made({mean: [0, 0], variance: [1, -1]}),
      'Normalization n: variance must not be below 0. Received: variance=[1,-1]',
    ],
    [
      'a mean that is not finite',
      made({mean: NaN, variance: 1}),
      'mean must be a finite number, or an array of them with rows of one length. ' +
        'Received: mean=NaN',
    ],
    [
      'rows of different lengths',
      made({axis: [1, 2], mean: [[1, 2], [3]], variance: 1}),
      'mean must be a finite number, or an array of them',
    ],
    [
      'an empty array',
      made({mean: [], variance: []}),
      'mean must be a finite number, or an array of them',
    ],
    [
      'a tensor',
      () => made({mean: tf.zeros([2]), variance: 1})(),
      'with rows of one length. Received: mean="a tensor"',
    ],
    [
      'a word for an axis',
      made({axis: ''}),
      'Normalization n: axis must be an integer, an array of integers or null. ' +
        'Received: axis=""',
    ],
    [
      'an invert that is no boolean',
      made({invert: 1}),
      'Normalization n: invert must be true or false. Received: invert=1',
    ],
    [
      'an option of another layer',
      made({epsilon: 1}),
      'Normalization n: unknown option epsilon; its options are axis, mean, variance, ' +
        'invert. Received: epsilon=1',
    ],
    [
      'an axis out of range',
      built({axis: 2}, [null, 3]),
      'Normalization n: axis 2 is out of range for an input of rank 2.',
    ],
    [
      'an axis twice',
      built({axis: [1, -1]}, [null, 3]),
      'Normalization n: duplicate axes for an input of rank 2.',
    ],
    [
      'the batch axis',
      built({}, [null]),
      "Normalization n: axis must not be the batch's, whose length varies; axis null " +
        'has one mean and variance for all values. Received: axis=-1',
    ],
    [
      'an axis of unknown length',
      built({axis: 1}, [null, null, 3]),
      'Normalization n: Axis 1 of input tensor should have a defined dimension.',
    ],
    [
      'a mean that does not fit',
      built({mean: [1, 2], variance: 1}, [null, 3]),
      'Normalization n: mean of shape [2] does not fit the kept axes, whose lengths are ' +
        '[3]. Received: mean=[1,2]',
    ],
    [
      'adapting to no data',
      adapting(() => tf.zeros([0, 3])),
      'Normalization n: the data has no examples. Received: examples=0',
    ],
    [
      'adapting to an empty array',
      adapting(() => []),
      'Normalization n: the data has no examples. Received: examples=0',
    ],
    [
      'adapting to an empty dataset',
      adapting(() => cutInto(tf.zeros([1]), [])),
      'Normalization n: the data has no examples. Received: examples=0',
    ],
    [
      'adapting with a mean that is given',
      adapting(() => [[1]], {mean: 0, variance: 1}),
      'Normalization n: adapt is for a layer whose mean and variance are not given. ' +
        'Received: mean=0',
    ],
    [
      'adapting to words',
      adapting(() => ['a', 'b'], {axis: null}),
      'Normalization n: the data must be of numbers. Received: dtype="string"',
    ],
    [
      'adapting to rows of different lengths',
      adapting(() => [[1], [2, 3]]),
      'Normalization n: the data has rows of different lengths. Received: lengths=[1,2]',
    ],
    [
      'adapting to nothing',
      adapting(() => null),
      'Normalization n: x must be a tensor for each of input. Received: x=null',
    ],
    [
      'adapting to several inputs',
      adapting(() => [tf.ones([1]), tf.ones([1]), tf.ones([1])]),
      'Normalization n: x must be a tensor for each of input.',
    ],
    [
      'adapting to infinity',
      adapting(() => [
        [1, 2],
        [1, Infinity],
      ]),
      'Normalization n: the data has a value that is not finite, in feature 1 of 2; ' +
        'leave it out or replace it. Received: mean=Infinity',
    ],
    [
      'a variance that float32 cannot hold',
      adapting(() => [[1e30], [-1e30]]),
      'Normalization n: the variance of feature 0 is too large for float32; scale the ' +
        'data down first.',
    ],
    [
      'batches of different features',
      adapting(() =>
        tf.data.generator(function* () {
          yield tf.ones([2, 3]);
          yield tf.ones([2, 4]);
        }),
      ),
      'Normalization n: every batch of the data must have the shape of the first, ' +
        '[null,3]. Received: shape=[2,4]',
    ],
    [
      'an unknown option of adapt',
      () => normalization({name: 'n'}).adapt([[1]], {batchSize: 3} as object),
      'Normalization n: unknown option batchSize; its options are onProgress, signal.',
    ],
  ])('%s', async (_, attempt, message) => {
    await expect(Promise.resolve().then(attempt)).rejects.toThrow(message);
  });
});

describe('in a model', () => {
  const OPTIONS: ReadonlyArray<[string, NormalizationArgs]> = [
    ['an axis', {axis: -1}],
    ['a list of axes', {axis: [1, 2]}],
    ['no axis', {axis: null}],
    ['an empty list', {axis: []}],
    ['a given mean', {mean: [1, 2, 3], variance: [1, 4, 9]}],
    ['typed arrays', {mean: Float32Array.of(1, 2, 3), variance: 2}],
    [
      'a given mean over axes',
      {axis: [1, 2], mean: [[1], [2]], variance: [[1, 2, 3]]},
    ],
    ['given numbers', {axis: null, mean: 3, variance: 4}],
    ['invert', {invert: true}],
  ];

  it.each(OPTIONS)('is saved with %s, and loads alike', async (_, args) => {
    const layer = normalization({name: 'norm', inputShape: [2, 3], ...args});
    const x = randomTensor([8, 2, 3], 1, 2, 3);
    if (args.mean === undefined) await layer.adapt(x);
    const model = tf.sequential({layers: [layer]});
    const expected = valuesOf(model.predict(x) as tf.Tensor);
    const artifacts = await saved(model);
    expect(
      (artifacts.weightSpecs ?? []).map(({name, dtype}) => [name, dtype]),
    ).toEqual(
      args.mean === undefined
        ? [
            ['norm/mean', 'float32'],
            ['norm/variance', 'float32'],
            ['norm/count', 'int32'],
          ]
        : [],
    );
    const topology = JSON.stringify(artifacts.modelTopology);
    const loaded = await tf.loadLayersModel(
      tf.io.fromMemory({
        ...artifacts,
        modelTopology: JSON.parse(topology) as object,
      }),
    );
    expect(valuesOf(loaded.predict(x) as tf.Tensor)).toEqual(expected);
    expect(warnings()).toEqual([]);
    const [before, after] = [model, loaded].map(({layers}) => layers[0]);
    expect(after?.getConfig()).toEqual(before?.getConfig());
    expect(weightsOf(after as tf.layers.Layer)).toEqual(
      weightsOf(before as tf.layers.Layer),
    );
    model.dispose();
    loaded.dispose();
  });

  it('keeps its statistics while the model learns, and leaves no tensor', async () => {
    trainsStockLayers();
    const x = randomTensor([64, 2], 1, 1000, 50);
    const y = tf.tidy(() => tf.div(tf.sub(tf.sum(x, 1, true), 2000), 50));
    const norm = normalization({inputShape: [2]});
    await norm.adapt(x);
    const before = weightsOf(norm);
    const model = tf.sequential({
      layers: [norm, tf.layers.dense({units: 1, kernelInitializer: 'zeros'})],
    });
    expect(model.trainableWeights).toHaveLength(2);
    model.compile({
      optimizer: tf.train.adam(0.1),
      loss: 'meanSquaredError',
    });
    const fit = (): Promise<tf.History> =>
      model.fit(x, y, {epochs: 30, batchSize: 16, verbose: 0});
    await fit();
    const {numTensors} = tf.memory();
    const {history} = await fit();
    expect(tf.memory().numTensors).toBe(numTensors);
    // Two terms of variance 1 are learnt: what is left was 2.
    expect(Number(history.loss?.[29])).toBeLessThan(0.01);
    expect(weightsOf(norm)).toEqual(before);
    model.dispose();
  });

  it('is freed with the model that it was adapted before', async () => {
    const {numTensors} = tf.memory();
    const norm = await adapted([[1], [3]], {inputShape: [1]});
    const model = tf.sequential({layers: [norm]});
    model.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('invert gives back what was normalized', async () => {
    const x = randomTensor([20, 3], 1, 10, 3);
    const [there, back] = [await adapted(x), await adapted(x, {invert: true})];
    const y = back.apply(there.apply(x)) as tf.Tensor;
    // x's mean is as large as its values, and is subtracted and added.
    await expectClose(y, valuesOf(x), {what: 'x', roundings: 8});
  });

  it('gives 0 for a constant feature', async () => {
    const layer = await adapted([[7], [7]]);
    expect(valuesOf(layer.apply(tf.tensor2d([[7]])) as tf.Tensor)).toEqual([0]);
  });

  it('gives an empty batch for one', async () => {
    const layer = await adapted([[1, 2]]);
    expect((layer.apply(tf.zeros([0, 2])) as tf.Tensor).shape).toEqual([0, 2]);
  });

  it('warns once if it passes its input on because nothing has adapted it', async () => {
    const layer = normalization({name: 'norm', inputShape: [2]});
    const model = tf.sequential({layers: [layer]});
    const x = tf.tensor2d([[1, 2]]);
    for (let i = 0; i < 2; i++) {
      expect(valuesOf(model.predict(x) as tf.Tensor)).toEqual([1, 2]);
    }
    expect(warnings()).toEqual([
      'Normalization norm: it passes its input on, since neither adapt nor a model file ' +
        'has given it a mean and a variance. Call `await layer.adapt(data)` first.',
    ]);
    await layer.adapt([
      [1, 2],
      [3, 6],
    ]);
    expect(valuesOf(model.predict(x) as tf.Tensor)).toEqual([-1, -1]);
  });

  it('keeps what the user gave', () => {
    const [mean, axis] = [[1, 2], [1]];
    const layer = normalization({axis, mean, variance: 1});
    mean[0] = 9;
    axis[0] = 9;
    const {mean: kept} = layer.getConfig();
    expect([layer.getConfig().axis, kept]).toEqual([[1], [1, 2]]);
    (kept as number[])[0] = 9;
    expect(layer.getConfig().mean).toEqual([1, 2]);
  });
});
