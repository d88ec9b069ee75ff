// Normalization in the tools that go through data: recalibrate and inspect.
import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  formatInspection,
  freezeBatchNorm,
  inspect,
  Normalization,
  normalization,
  recalibrate,
  setStatistics,
} from 'tfjs-normalization';
import {batchNorm as oracle} from '../../oracle/by_axes.js';
import {expectCloseNow} from '../../support/close.js';
import {randomTensor, valuesOf, weightsOf} from '../../support/tensors.js';

/** A Normalization at the start and one behind a BatchNorm, and a BatchNorm after each. */
function deepModel(): tf.Sequential {
  const dense = (units: number, seed: number): tf.layers.Layer =>
    tf.layers.dense({
      units,
      kernelInitializer: tf.initializers.randomNormal({seed}),
    });
  return tf.sequential({
    layers: [
      normalization({name: 'first', inputShape: [3]}),
      dense(4, 1),
      batchNorm({name: 'second', scale: false}),
      dense(3, 2),
      tf.layers.activation({activation: 'tanh'}),
      normalization({name: 'third', axis: null}),
      dense(2, 3),
      batchNorm({name: 'fourth'}),
    ],
  });
}

/** What a layer gets while the model predicts. */
function inputOf(
  layer: tf.layers.Layer,
  model: tf.LayersModel,
  x: tf.Tensor,
): tf.Tensor {
  const outputs = layer.input as tf.SymbolicTensor;
  return layer === model.layers[0]
    ? x
    : (tf.model({inputs: model.inputs, outputs}).predict(x) as tf.Tensor);
}

/** A layer has the statistics of this input. */
function expectStatistics(layer: tf.layers.Layer, input: tf.Tensor): void {
  const isWhole = layer.getConfig().axis === null;
  const shape = isWhole ? [input.size, 1] : input.shape;
  const expected = oracle(valuesOf(input), shape, {axis: -1, epsilon: 1});
  const weights = weightsOf(layer);
  const {mean = weights.moving_mean, variance = weights.moving_variance} =
    weights;
  const spread = Math.sqrt(Math.max(...expected.variance));
  // Sums over a hundred examples, and over batches, of what went through some layers.
  expectCloseNow(mean ?? [], expected.mean, {
    what: 'mean',
    roundings: 64,
    scale: spread + Math.max(...expected.mean.map(Math.abs)),
  });
  expectCloseNow(variance ?? [], expected.variance, {
    what: 'variance',
    roundings: 64,
  });
}

const data = (): tf.Tensor => randomTensor([96, 3], 1, 7, 3);

describe('recalibrate', () => {
  it.each([[{exact: true, batchSize: 7}], [{batchSize: 96}]])(
    'gives every layer the statistics of what reaches it, with %j',
    async (options) => {
      const model = deepModel();
      const x = data();
      await recalibrate(model, x, options);
      for (const layer of model.layers) {
        if (layer instanceof BatchNorm || layer instanceof Normalization) {
          expectStatistics(layer, inputOf(layer, model, x));
        }
      }
      const counts = model.layers
        .filter((layer) => layer instanceof Normalization)
        .map((layer) => weightsOf(layer).count);
      expect(counts).toEqual([[96], [288]]);
    },
  );

  it('makes a pass for each depth of Normalization, and one more', async () => {
    const totals: unknown[] = [];
    const x = data();
    const {numTensors} = tf.memory();
    const model = deepModel();
    const made = tf.memory().numTensors;
    await recalibrate(model, x, {
      batchSize: 48,
      onProgress: ({total}) => totals.push(total),
    });
    expect(totals).toEqual([6, 6, 6, 6, 6, 6]);
    expect(tf.memory().numTensors).toBe(made);
    model.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('does what adapt does where there is nothing else', async () => {
    const layer = normalization({axis: [1, 3], inputShape: [2, 3, 2]});
    const model = tf.sequential({layers: [layer]});
    const x = randomTensor([20, 2, 3, 2], 3, 100, 2);
    await layer.adapt(x);
    const {mean = [], variance = [], count} = weightsOf(layer);
    await recalibrate(model, x, {batchSize: 6});
    const found = weightsOf(layer);
    expect(found.count).toEqual(count);
    // The mean of each batch is rounded, and the variance depends on their distances.
    expectCloseNow(found.mean ?? [], mean, {what: 'mean', roundings: 4});
    expectCloseNow(found.variance ?? [], variance, {
      what: 'variance',
      roundings: 64,
    });
  });

  it('leaves given statistics and frozen layers alone', async () => {
    const given = normalization({mean: 1, variance: 4, inputShape: [3]});
    const frozen = normalization({trainable: false});
    const norm = batchNorm();
    const model = tf.sequential({layers: [given, frozen, norm]});
    const before = [given.getConfig(), weightsOf(frozen)];
    const x = data();
    await recalibrate(model, x, {exact: true, batchSize: 32});
    expect([given.getConfig(), weightsOf(frozen)]).toEqual(before);
    expectStatistics(norm, tf.div(tf.sub(x, 1), 2));
  });

  it('keeps all statistics if cancelled', async () => {
    const model = deepModel();
    const before = model.getWeights().map(valuesOf);
    const controller = new AbortController();
    const job = recalibrate(model, data(), {
      signal: controller.signal,
      onProgress: ({done}) => {
        if (done === 4) controller.abort();
      },
    });
    await expect(job).rejects.toMatchObject({name: 'AbortError'});
    expect(model.getWeights().map(valuesOf)).toEqual(before);
  });
});

describe('inspect', () => {
  it('has a row for each, with the ranges of its weights', async () => {
    const layer = normalization({name: 'norm', inputShape: [2]});
    const model = tf.sequential({
      layers: [
        layer,
        normalization({name: 'given', axis: null, mean: 0, variance: 1}),
      ],
    });
    const [untouched, given] = await inspect(model);
    expect(untouched?.problems).toEqual([
      'it has never been adapted: mean 0, variance 1',
    ]);
    expect(given).toEqual({
      layer: 'given',
      kind: 'Normalization',
      weights: {},
      problems: [],
    });
    await layer.adapt([
      [1, 5],
      [3, 5],
    ]);
    const inspection = await inspect(model);
    expect(inspection[0]).toEqual({
      layer: 'norm',
      kind: 'Normalization',
      axis: -1,
      weights: {
        mean: {min: 2, max: 5},
        variance: {min: 0, max: 1},
        count: {min: 2, max: 2},
      },
      problems: [
        'the variance is 0 in 1 of 2 channels: their input was constant in the data, ' +
          'and any other value becomes 10 million times its distance',
      ],
    });
    expect(formatInspection(inspection)).toContain('norm   Normalization  -1');
  });

  it('finds weights that no data gives', async () => {
    const layer = normalization({inputShape: [2]});
    const model = tf.sequential({layers: [layer]});
    layer.setWeights([
      tf.tensor1d([NaN, 0]),
      tf.tensor1d([-1, 1]),
      tf.scalar(0, 'int32'),
    ]);
    const [row] = await inspect(model);
    expect(row?.problems).toEqual([
      'mean is not finite in 1 of 2 values',
      'the variance is negative in 1 of 2 channels',
    ]);
  });

  it('compares its statistics with those of data, which it keeps', async () => {
    const layer = normalization({name: 'norm', inputShape: [3]});
    const norm = batchNorm();
    const model = tf.sequential({layers: [layer, norm]});
    const x = data();
    await layer.adapt(x);
    await recalibrate(model, x);
    const right = await inspect(model, x);
    expect(right[0]?.problems).toEqual([]);
    const before = weightsOf(layer);
    const [row] = await inspect(model, tf.add(x, 30), {exact: true});
    expect(row?.problems.join()).toMatch(
      /^the statistics are not those of the data: a mean is off by (9|1\d) standard deviations/,
    );
    expect(weightsOf(layer)).toEqual(before);
  });

  it('says nothing of training where only a Normalization lags', async () => {
    const layer = normalization({inputShape: [3]});
    const model = tf.sequential({layers: [layer]});
    await layer.adapt(data());
    const {explanation} = await inspect(model, tf.add(data(), 30));
    expect(explanation).toBeUndefined();
  });
});

it('freezing and setStatistics leave it alone', async () => {
  const model = deepModel();
  await recalibrate(model, data());
  const layers = model.layers.filter((l) => l instanceof Normalization);
  const before = layers.map((layer) => [layer.getConfig(), weightsOf(layer)]);
  expect(freezeBatchNorm(model)).toBe(2);
  expect(setStatistics(model, 'batch')).toBe(2);
  expect(layers.map((layer) => [layer.getConfig(), weightsOf(layer)])).toEqual(
    before,
  );
});
