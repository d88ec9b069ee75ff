// The tools for whole models, on BatchNorm with renorm and with virtual batches.
import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  type BatchNormArgs,
  convertModel,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  recalibrate,
  setStatistics,
  toStock,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {weightOf} from '../fixtures/layer_run.js';
import * as oracle from '../oracle/by_axes.js';
import {expectClose} from '../support/close.js';
import {
  difference,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {warnings} from '../support/warnings.js';

const epsilon = 1e-3;

const KINDS: ReadonlyArray<[string, BatchNormArgs]> = [
  [
    'renorm',
    {renorm: true, renormClipping: {rmax: 3, dmax: 5}, renormMomentum: 0.9},
  ],
  ['virtual batches', {virtualBatchSize: 4}],
];

const x = (seed = 1): tf.Tensor => randomTensor([10, 3], seed, 2, 3);

/** A model that has been trained for four steps. */
async function trained(options: BatchNormArgs): Promise<tf.Sequential> {
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 4, inputShape: [3]}));
  model.add(batchNorm({name: 'norm', momentum: 0.5, ...options}));
  model.add(tf.layers.dense({units: 1}));
  model.compile({optimizer: tf.train.sgd(1e-3), loss: 'meanSquaredError'});
  await model.fit(x(), tf.ones([10, 1]), {epochs: 4, verbose: 0});
  return model;
}

const normIn = (model: tf.LayersModel): BatchNorm =>
  model.getLayer('norm') as BatchNorm;

beforeEach(trainsStockLayers);

describe.each(KINDS)('a model with %s', (_, options) => {
  it('is frozen by freezeBatchNorm, and thawed', async () => {
    const model = await trained(options);
    const fit = async (): Promise<boolean> => {
      model.compile({optimizer: tf.train.sgd(1e-3), loss: 'meanSquaredError'});
      const before = weightsOf(normIn(model));
      await model.fit(x(2), tf.ones([10, 1]), {epochs: 1, verbose: 0});
      const after = weightsOf(normIn(model));
      return Object.entries(before)
        .filter(([name]) => !/gamma|beta/.test(name))
        .every(([name, values]) => difference(values, after[name] ?? []) === 0);
    };
    for (const affine of [true, false]) {
      freezeBatchNorm(model, {affine});
      expect(await fit()).toBe(true);
      unfreezeBatchNorm(model);
      expect(await fit()).toBe(false);
    }
    model.dispose();
  });

  it('predicts by the batch after setStatistics', async () => {
    const model = await trained(options);
    const before = model.predict(x()) as tf.Tensor;
    setStatistics(model, 'batch');
    const after = model.predict(x()) as tf.Tensor;
    expect(difference(before, after)).toBeGreaterThan(1e-3);
    setStatistics(model, 'auto');
    expect(difference(before, model.predict(x()) as tf.Tensor)).toBe(0);
    model.dispose();
  });

  it('folds to one that predicts the same', async () => {
    const model = await trained(options);
    const folded = foldBatchNorm(model);
    expect(folded.layers.map((layer) => layer.getClassName())).toEqual([
      'Dense',
      'Dense',
    ]);
    const y = valuesOf(model.predict(x()) as tf.Tensor);
    // Three layers, of which two are one, in another order.
    const close = {what: 'y', roundings: 32};
    await expectClose(folded.predict(x()) as tf.Tensor, y, close);
    model.dispose();
    folded.dispose();
  });

  it('becomes a stock one that predicts the same, and comes back', async () => {
    const model = await trained(options);
    const y = valuesOf(model.predict(x()) as tf.Tensor);
    const close = {what: 'y', roundings: 32};
    const stock = await convertModel(model, {to: 'stock'});
    const names = Object.keys(options).map(
      (name) => `BatchNorm norm (${name})`,
    );
    const noted = 'convertModel: left out, as it only matters in training: ';
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]?.startsWith(noted)).toBe(true);
    const listed = warnings()[0]?.slice(noted.length).split(', ').sort();
    expect(listed).toEqual(names.sort());
    expect(Object.keys(weightsOf(stock.getLayer('norm')))).toEqual([
      'gamma',
      'beta',
      'moving_mean',
      'moving_variance',
    ]);
    await expectClose(stock.predict(x()) as tf.Tensor, y, close);
    const back = await convertModel(stock, {to: 'normalization'});
    expect(normIn(back).getConfig()).toMatchObject({
      renorm: false,
      virtualBatchSize: null,
    });
    expect(valuesOf(back.predict(x()) as tf.Tensor)).toEqual(y);
    let kept: tf.io.ModelArtifacts = {};
    const handler = tf.io.withSaveHandler((artifacts) => {
      kept = artifacts;
      return Promise.resolve({} as tf.io.SaveResult);
    });
    await model.save(toStock(handler));
    const loaded = await tf.loadLayersModel(tf.io.fromMemory(kept));
    expect(loaded.getLayer('norm').getClassName()).toBe('BatchNormalization');
    await expectClose(loaded.predict(x()) as tf.Tensor, y, close);
    [model, stock, back, loaded].forEach((each) => each.dispose());
  });

  it('is inspected with all of its weights', async () => {
    const model = await trained(options);
    const [row] = await inspect(model, x());
    expect(Object.keys(row?.weights ?? {})).toEqual(
      Object.keys(weightsOf(normIn(model))),
    );
    expect(row?.data).toBeDefined();
    model.dispose();
  });

  it('is recalibrated to the statistics of the data', async () => {
    const model = await trained(options);
    await recalibrate(model, x(3), {batchSize: 5});
    const [dense] = model.layers;
    const input = valuesOf(dense?.apply(x(3)) as tf.Tensor);
    const {mean, variance} = oracle.batchNorm(input, [10, 4], {
      axis: 1,
      epsilon,
    });
    const norm = normIn(model);
    const close = (name: string, expected: ArrayLike<number>): Promise<void> =>
      // A statistic of ten values in two parts, and a root.
      expectClose(weightOf(norm, name), expected, {what: name, roundings: 16});
    await close('moving_mean', mean);
    await close('moving_variance', variance);
    if (options.renorm === true) {
      const stddev = variance.map((value) => Math.sqrt(value + epsilon));
      await close('moving_stddev', stddev);
      await close('renorm_mean', mean);
      await close('renorm_stddev', stddev);
    }
    // Training goes on from there, not from where the average was before.
    norm.apply(tf.tensor(input, [10, 4]), {training: true});
    const moved = weightsOf(norm).moving_variance ?? [];
    const ratios = moved.map((value, c) => value / (variance[c] ?? NaN));
    expect(Math.max(...ratios)).toBeLessThan(1.01);
    if (options.renorm === true)
      expect(Math.min(...ratios)).toBeGreaterThan(0.99);
    model.dispose();
  });
});

it('renorm corrects in prediction by the batch, as Keras does with training=True', async () => {
  const options: BatchNormArgs = {renorm: true, renormMomentum: 1};
  const trains = batchNorm(options);
  const predicts = batchNorm({...options, statistics: 'batch'});
  const y = valuesOf(trains.apply(x(), {training: true}) as tf.Tensor);
  await expectClose(predicts.apply(x()) as tf.Tensor, y, {
    what: 'y',
    roundings: 0,
  });
});
