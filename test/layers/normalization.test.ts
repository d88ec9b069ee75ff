// Normalization: Keras's numbers, adapt, what is refused, files, memory.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  type FeatureData,
  Normalization,
  normalization,
  type NormalizationArgs,
} from 'tfjs-normalization';
import {readFixture} from '../fixtures/fixtures.js';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';
import {cutInto} from '../support/datasets.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_family.py.
const {normalization: CASES} = readFixture('keras_family');

/** Adapts a layer to data of this shape. */
async function adapted(
  data: FeatureData,
  args: NormalizationArgs = {},
): Promise<Normalization> {
  const layer = normalization(args);
  await layer.adapt(data);
  return layer;
}

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

describe('adapt', () => {
  const x = (): tf.Tensor => randomTensor([40, 3], 1, 5, 2);

  it('takes tensors, arrays and datasets, with and without labels', async () => {
    const data = x();
    const values = (await data.array()) as number[][];
    const y = (batch: tf.Tensor): tf.Tensor => tf.ones([batch.shape[0], 2]);
    const all: Array<[string, FeatureData]> = [
      ['a tensor', data],
      ['an array', values],
      ['typed arrays', values.map((v) => Float32Array.from(v))],
      ['[x, y]', [data, tf.ones([40])]],
      ['{xs}', {xs: data}],
      ['batches', cutInto(data, [10, 30])],
      ['batches [x, y]', cutInto(data, [10, 30], (b) => [b, y(b)])],
      [
        'batches {xs, ys}',
        cutInto(data, [10, 30], (xs) => ({xs, ys: {a: y(xs), b: [y(xs)]}})),
      ],
    ];
    const expected = weightsOf(await adapted(data));
    expect(expected.count).toEqual([40]);
    const {numTensors} = tf.memory();
    for (const [name, each] of all) {
      const layer = await adapted(each);
      expect([name, weightsOf(layer)]).toEqual([name, expected]);
      layer.weights.forEach((weight) => {
        weight.dispose();
      });
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('takes integers and booleans', async () => {
    const {mean, variance} = weightsOf(
      await adapted(tf.tensor2d([[1], [0], [1], [0]], [4, 1], 'bool')),
    );
    expect([mean, variance]).toEqual([[0.5], [0.25]]);
    const layer = await adapted([[2], [4]]);
    const y = layer.apply(tf.tensor2d([[2], [4]], [2, 1], 'int32'));
    expect(valuesOf(y as tf.Tensor)).toEqual([-1, 1]);
  });

  it('takes a vector where fit does', async () => {
    const layer = normalization({inputShape: [1]});
    const model = tf.sequential({layers: [layer]});
    await layer.adapt(tf.tensor1d([1, 3]));
    expect(weightsOf(layer)).toEqual({mean: [2], variance: [1], count: [2]});
    expect(valuesOf(model.predict(tf.tensor2d([[3]])) as tf.Tensor)).toEqual([
      1,
    ]);
  });

  it('starts afresh at each call', async () => {
    const layer = await adapted([[1], [3]]);
    await layer.adapt([[11], [15]]);
    expect(weightsOf(layer)).toEqual({mean: [13], variance: [4], count: [2]});
  });

  it('gives images of different sizes one mean for each channel', async () => {
    const images = [
      randomTensor([1, 4, 5, 2], 1),
      randomTensor([2, 3, 2, 2], 2),
    ];
    const layer = await adapted(
      tf.data.generator(function* () {
        yield* images.map((image) => image.clone());
      }),
    );
    const all = tf.concat(images.map((image) => tf.reshape(image, [-1, 2])));
    const expected = weightsOf(await adapted(all));
    expect(expected.count).toEqual([32]);
    const found = weightsOf(layer);
    expect(found.count).toEqual([32]);
    expectCloseNow(found.mean ?? [], expected.mean ?? [], {
      what: 'mean',
      roundings: 2,
    });
    expect((layer.apply(tf.ones([1, 7, 1, 2])) as tf.Tensor).shape).toEqual([
      1, 7, 1, 2,
    ]);
  });

  // The oracle sums in float64, too; what is stored is rounded once, and with it y.
  it('does not depend on how the data is cut, over any axes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({min: 1, max: 4}), {minLength: 1, maxLength: 3}),
        fc.array(fc.integer({min: 1, max: 6}), {minLength: 1, maxLength: 5}),
        fc.integer({min: 0, max: 7}),
        fc.constantFrom(0, 1, 1e4),
        fc.integer({min: 1, max: 1000}),
        async (rest, sizes, choice, mean, seed) => {
          const examples = sizes.reduce((a, b) => a + b);
          const shape = [examples, ...rest];
          const axis = rest.flatMap((_, i) =>
            (choice >> i) % 2 === 1 ? [i + 1] : [],
          );
          const data = randomTensor(shape, seed, mean, 2);
          const whole = await adapted(data, {axis});
          const parts = await adapted(cutInto(data, sizes), {axis});
          const expected =
            axis.length > 0
              ? oracle(valuesOf(data), shape, {axis, epsilon: 1})
              : oracle(valuesOf(data), [data.size, 1], {axis: 1, epsilon: 1});
          for (const layer of [whole, parts]) {
            const {
              mean: m = [],
              variance: v = [],
              count = [],
            } = weightsOf(layer);
            expectCloseNow(m, expected.mean, {what: 'mean', roundings: 1});
            expectCloseNow(v, expected.variance, {
              what: 'variance',
              roundings: 1,
            });
            expect(count).toEqual([expected.count[0]]);
            layer.weights.forEach((weight) => {
              weight.dispose();
            });
          }
          data.dispose();
        },
      ),
      {numRuns: 40},
    );
  });

  it('is exact for 200,000 values with a large mean', async () => {
    const n = 200_000;
    const values = Float32Array.from({length: n}, (_, i) => 4096 + (i % 2));
    const {mean, variance} = weightsOf(
      await adapted(tf.tensor2d(values, [n, 1])),
    );
    expect([mean, variance]).toEqual([[4096.5], [0.25]]);
    const sizes = [1, 9, 90, 900, 9000, 90_000, 100_000];
    const dataset = cutInto(tf.tensor2d(values, [n, 1]), sizes);
    expect(weightsOf(await adapted(dataset))).toEqual({
      mean: [4096.5],
      variance: [0.25],
      count: [n],
    });
  });

  it('reports progress, and stops when cancelled', async () => {
    const seen: unknown[] = [];
    const layer = normalization();
    const data = x();
    await layer.adapt(data, {onProgress: (progress) => seen.push(progress)});
    await layer.adapt(cutInto(data, [10, 30]), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([
      {done: 1, total: 1},
      {done: 1, total: undefined},
      {done: 2, total: undefined},
    ]);
    const before = weightsOf(layer);
    const {numTensors} = tf.memory();
    const controller = new AbortController();
    const job = layer.adapt(cutInto(tf.add(data, 1), [10, 30]), {
      signal: controller.signal,
      onProgress: () => {
        controller.abort();
      },
    });
    await expect(job).rejects.toMatchObject({name: 'AbortError'});
    expect(weightsOf(layer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors + 1);
  });

  it('cuts a large tensor for progress', async () => {
    const seen: unknown[] = [];
    await normalization().adapt(tf.ones([2 ** 18 + 1, 2]), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([1, 2, 3].map((done) => ({done, total: 3})));
  });

  it('leaves no tensor, and nothing changed where it fails', async () => {
    const layer = await adapted([[1], [3]]);
    const before = weightsOf(layer);
    const {numTensors} = tf.memory();
    await layer.adapt([[1], [3]]);
    expect(tf.memory().numTensors).toBe(numTensors);
    const broken = tf.data.generator(function* () {
      yield tf.ones([4, 1]);
      yield tf.ones([4, 2]);
    });
    await expect(layer.adapt(broken)).rejects.toThrow(
      'the data must have the shape that the layer was built for, [null,1]. ' +
        'Received: shape=[4,2]',
    );
    await expect(layer.adapt([[1], [NaN]])).rejects.toThrow(
      'the data has a value that is not finite, in feature 0 of 1',
    );
    expect(weightsOf(layer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
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
