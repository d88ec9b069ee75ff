import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  type BatchNorm,
  type ModelData,
  recalibrate,
} from 'tfjs-normalization';
import {batchNorm as oracle} from '../../oracle/by_axes.js';
import {at} from '../../oracle/at.js';
import {expectCloseNow} from '../../support/close.js';
import {
  allWeights,
  learntWeights,
  mixedModel,
  normsOf,
  through,
} from '../../support/models.js';
import {randomTensor, valuesOf, weightsOf} from '../../support/tensors.js';
import {cutInto} from '../../support/datasets.js';
import {
  CUT,
  EXAMPLES,
  deepModel,
  driftingData,
  errorOf,
  expectStatistics,
  inputOf,
} from '../../support/deep_model.js';

describe('recalibrate', () => {
  it.each([
    ['as one tensor', (x: tf.Tensor) => x, {batchSize: EXAMPLES}],
    ['in batches of 32 and one of the rest', (x: tf.Tensor) => x, {}],
    ['into 2, 2, 4, 8, 16, 32, 64', (x: tf.Tensor) => cutInto(x, CUT), {}],
    [
      'into one example, then all others',
      (x: tf.Tensor) => cutInto(x, [1, EXAMPLES - 1]),
      {},
    ],
  ])(
    'gives the first layer the dataset’s statistics, cut %s',
    async (_, cut, options) => {
      const x = driftingData();
      const model = deepModel();
      await recalibrate(model, cut(x), options);
      const [first] = normsOf(model);
      expectStatistics(
        first as BatchNorm,
        inputOf(first as BatchNorm, model, x),
      );
    },
  );

  it.each([
    ['2, 2, 4, 8, 16, 32, 64', CUT],
    ['128', [EXAMPLES]],
  ])('exact gives every layer the dataset’s, cut into %s', async (_, sizes) => {
    const x = driftingData();
    const model = deepModel();
    await recalibrate(model, cutInto(x, sizes), {exact: true});
    for (const layer of normsOf(model)) {
      expectStatistics(layer, inputOf(layer, model, x));
    }
  });

  it('without exact, later layers depend on the batch size', async () => {
    const x = driftingData();
    const model = deepModel();
    await recalibrate(model, cutInto(x, CUT));
    const last = normsOf(model)[2] as BatchNorm;
    expect(errorOf(last, inputOf(last, model, x))).toBeGreaterThan(1e-2);
  });

  // A batch's mean of 1e3 is rounded by up to 3e-5, and the variance depends on
  // the distances of such means: 2 · 3e-5 at most, and less since they are
  // random.
  it('stays precise for a large mean', async () => {
    const x = randomTensor([EXAMPLES, 2], 3, 1e3, 1);
    const layer = batchNorm({inputShape: [2]});
    await recalibrate(tf.sequential({layers: [layer]}), cutInto(x, CUT));
    expectStatistics(layer, x, 160);
  });

  it('takes tensors and datasets, with and without labels', async () => {
    const x = driftingData();
    const y = tf.ones([EXAMPLES, 3]);
    const found: unknown[] = [];
    const label = (batch: tf.Tensor): tf.Tensor => tf.ones([batch.shape[0], 3]);
    const all: ModelData[] = [
      x,
      [x],
      [x, y],
      {xs: x, ys: y},
      {xs: x},
      {dense_0_input: x},
      cutInto(x, [32, 32, 32, 32]),
      cutInto(x, [32, 32, 32, 32], (batch) => [batch, label(batch)]),
      cutInto(x, [32, 32, 32, 32], (batch) => ({xs: batch, ys: label(batch)})),
    ];
    for (const data of all) {
      const model = deepModel();
      await recalibrate(model, data);
      found.push(normsOf(model).map((layer) => weightsOf(layer)));
    }
    for (const statistics of found) expect(statistics).toEqual(found[0]);
  });

  it('weights ranks above two by their numbers of values, and supports lists of axes', async () => {
    const x = randomTensor([10, 3, 2, 4], 5, -2, 3);
    const layer = batchNorm({axis: [1, 3], inputShape: [3, 2, 4]});
    await recalibrate(tf.sequential({layers: [layer]}), x, {batchSize: 3});
    const {mean, variance} = oracle(valuesOf(x), x.shape, {
      axis: [1, 3],
      epsilon: 1e-3,
    });
    const {moving_mean: m = [], moving_variance: v = []} = weightsOf(layer);
    // Sums of 20 values of up to ten, and the sums of four batches.
    expectCloseNow(m, mean, {what: 'mean', roundings: 16, scale: 10});
    expectCloseNow(v, variance, {what: 'variance', roundings: 64});
  });

  it('leaves out masked values', async () => {
    const model = tf.sequential();
    model.add(tf.layers.masking({maskValue: 0, inputShape: [2, 1]}));
    const layer = batchNorm();
    model.add(layer);
    const x = tf.tensor3d([
      [[2], [0]],
      [[4], [0]],
      [[6], [0]],
      [[8], [10]],
    ]);
    await recalibrate(model, x, {batchSize: 3});
    // 2, 4, 6, 8 and 10: mean 6, variance (16 + 4 + 0 + 4 + 16) / 5.
    const {moving_mean: mean = [], moving_variance: variance = []} =
      weightsOf(layer);
    // Two batches, each with a sum and a division.
    expectCloseNow([at(mean, 0)], [6], {what: 'mean', roundings: 8});
    // As above.
    expectCloseNow([at(variance, 0)], [8], {what: 'variance', roundings: 8});
  });

  it('reaches nested models, wrappers and tf.js’s own layers', async () => {
    const stock = tf.layers.batchNormalization({});
    const wrapped = batchNorm();
    const inner = tf.sequential({
      layers: [
        tf.layers.timeDistributed({layer: wrapped, inputShape: [2, 3]}),
        stock,
      ],
    });
    const input = tf.input({shape: [2, 3]});
    const model = tf.model({inputs: input, outputs: through(inner, input)});
    const x = randomTensor([20, 2, 3], 7, 5, 2);
    await recalibrate(model, x, {batchSize: 6, exact: true});
    expectStatistics(wrapped, x);
    const y = wrapped.apply(tf.reshape(x, [40, 3])) as tf.Tensor;
    expectStatistics(stock as unknown as BatchNorm, y);
  });

  it('takes all uses of a shared layer together', async () => {
    const layer = batchNorm();
    const [a, b] = [tf.input({shape: [2]}), tf.input({shape: [2]})];
    const sum = tf.layers.add().apply([through(layer, a), through(layer, b)]);
    const model = tf.model({inputs: [a, b], outputs: sum as tf.SymbolicTensor});
    const [x, z] = [randomTensor([10, 2], 1), randomTensor([10, 2], 2, 8)];
    for (const exact of [false, true]) {
      layer.resetStatistics();
      await recalibrate(model, [x, z], {batchSize: 4, exact});
      expectStatistics(layer, tf.concat([x, z]));
    }
  });

  it('writes only moving statistics, and trains nothing', async () => {
    const model = deepModel();
    model.add(
      batchNorm({movingAverage: 'cumulative', gammaConstraint: 'nonNeg'}),
    );
    const before = learntWeights(model);
    await recalibrate(model, driftingData(), {exact: true});
    expect(learntWeights(model)).toEqual(before);
  });

  it('skips frozen layers, and those with moving statistics', async () => {
    const model = deepModel();
    const [first, second, third] = normsOf(model) as [
      BatchNorm,
      BatchNorm,
      BatchNorm,
    ];
    first.trainable = false;
    second.statistics = 'moving';
    const before = [weightsOf(first), weightsOf(second)];
    const x = driftingData();
    await recalibrate(model, x);
    expect([weightsOf(first), weightsOf(second)]).toEqual(before);
    // They predict with their own, as in training: the third is exact at once.
    // What it gets deviates by a part of its mean, and is computed in other batches here.
    expectStatistics(third, inputOf(third, model, x), 160);
  });

  it('ends the initial phase of any kind of average', async () => {
    for (const movingAverage of ['exponential', 'debiased'] as const) {
      const layer = batchNorm({movingAverage, momentum: 0.9, inputShape: [1]});
      const model = tf.sequential({layers: [layer]});
      await recalibrate(model, tf.tensor2d([[1], [3]]));
      layer.apply(tf.tensor2d([[11], [13]]), {training: true});
      // 2 · 0.9 + 12 · 0.1
      // A mean, two products, a sum and a rate.
      expectCloseNow([at(weightsOf(layer).moving_mean ?? [], 0)], [3], {
        what: 'mean',
        roundings: 8,
      });
    }
  });
});

it('moves nothing of UnitNorm and SpectralNorm, and computes as they predict', async () => {
  for (const kernelIsNormalized of [false, true]) {
    const model = mixedModel({kernelIsNormalized});
    const before = allWeights(model);
    const configs = model.layers.map((layer) => layer.getConfig());
    const x = randomTensor([40, 3], 1, 5, 2);
    await recalibrate(model, x, {exact: true, batchSize: 16});
    const after = allWeights(model);
    const moved = Object.keys(after)
      .filter((name) => String(after[name]) !== String(before[name]))
      .map((name) => name.replace(/^\d+ /, ''));
    expect(moved).toEqual(['norm/moving_mean', 'norm/moving_variance']);
    expect(model.layers.map((layer) => layer.getConfig())).toEqual(configs);
    const outputs = model.layers[0]?.output as tf.SymbolicTensor;
    const toNorm = tf.model({inputs: model.inputs, outputs});
    const input = toNorm.predict(x) as tf.Tensor;
    const expected = oracle(valuesOf(input), [40, 4], {axis: -1, epsilon: 1});
    const {moving_mean: mean = [], moving_variance: variance = []} = weightsOf(
      model.layers[1] as tf.layers.Layer,
    );
    // As above: sums of 40 values, of sizes up to the largest mean.
    expectCloseNow(mean, expected.mean, {what: 'mean', roundings: 64});
    expectCloseNow(variance, expected.variance, {
      what: 'variance',
      roundings: 64,
    });
  }
});
