import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  type FreezeOptions,
  freezeBatchNorm,
  patchStockLayers,
  setStatistics,
  type SpectralNorm,
  spectralNorm,
  type StatisticsMode,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {expectCloseNow} from '../support/close.js';
import {allWeights, mixedModel, normsOf, through} from '../support/models.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';

/** Returns a base, two models deep, and a head. */
function deepModel(args = {}): tf.LayersModel {
  const base = tf.sequential({
    name: 'base',
    layers: [
      tf.sequential({
        name: 'inner',
        layers: [batchNorm({name: 'norm', inputShape: [3], ...args})],
      }),
    ],
  });
  const input = tf.input({shape: [3]});
  const head = tf.layers.dense({name: 'head', units: 1});
  return tf.model({
    inputs: input,
    outputs: through(head, through(base, input)),
  });
}

/** A layer with a kernel that holds a BatchNorm. */
class ScaledNorm extends tf.layers.Layer {
  static readonly className = 'FreezeTestScaledNorm';
  readonly norm = batchNorm({name: 'inside'});
  kernel: ReturnType<tf.layers.Layer['addWeight']> | undefined;

  override build(inputShape: tf.Shape): void {
    this.norm.build(inputShape);
    const initializer = tf.initializers.ones();
    this.kernel = this.addWeight('kernel', [3, 3], 'float32', initializer);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: object): tf.Tensor {
    const [x] = [inputs].flat() as [tf.Tensor2D];
    const kernel = this.kernel?.read() as tf.Tensor2D;
    return this.norm.apply(tf.matMul(x, kernel), kwargs) as tf.Tensor;
  }
}

async function fit(model: tf.LayersModel): Promise<void> {
  trainsStockLayers();
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const x = randomTensor([16, 3], 1, 5, 2);
  await model.fit(x, tf.ones([16, 1]), {epochs: 2, verbose: 0});
}

/** Returns the names of the weights that training changes. */
async function changedByFit(model: tf.LayersModel): Promise<string[]> {
  const before = allWeights(model);
  await fit(model);
  const after = allWeights(model);
  return Object.keys(before)
    .filter((name) => String(before[name]) !== String(after[name]))
    .map((name) => name.replace(/^\d+ .*?([^/]+\/[^/]+)$/, '$1'));
}

describe('freezeBatchNorm', () => {
  const head = ['head/kernel', 'head/bias'];
  const affine = ['norm/gamma', 'norm/beta'];

  it.each<[string, FreezeOptions | undefined, string[]]>([
    ['by default', undefined, head],
    ['affine: false', {affine: false}, head],
    ['affine: true', {affine: true}, [...affine, ...head]],
  ])(
    'two models deep, %s: only these change in fit',
    async (_, options, names) => {
      const model = deepModel();
      expect(freezeBatchNorm(model, options)).toBe(1);
      expect((await changedByFit(model)).sort()).toEqual(names.sort());
    },
  );

  it('reaches a layer without gamma and beta', async () => {
    const model = deepModel({scale: false, center: false});
    freezeBatchNorm(model);
    expect(await changedByFit(model)).toEqual(
      expect.not.arrayContaining([expect.stringContaining('moving')]),
    );
  });

  it('holds in a sequential model, which thaws weights at compile', async () => {
    const layer = batchNorm({inputShape: [3]});
    const model = tf.sequential({layers: [layer, tf.layers.dense({units: 1})]});
    freezeBatchNorm(model);
    const before = weightsOf(layer);
    await fit(model);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('leaves UnitNorm and SpectralNorm beside it as they train', async () => {
    const model = mixedModel();
    const inner = (model.layers[0] as SpectralNorm).layer;
    expect(freezeBatchNorm(model)).toBe(1);
    expect(model.layers.map(({trainable}) => trainable)).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect(inner.trainable).toBe(true);
    expect((await changedByFit(model)).sort()).toEqual([
      'head/bias',
      'head/kernel',
      'spectral/bias',
      'spectral/kernel',
      'spectral/vector_u',
    ]);
    expect(unfreezeBatchNorm(model)).toBe(1);
  });

  it('reaches a BatchNorm in the layer inside a SpectralNorm', async () => {
    const layer = new ScaledNorm({});
    const model = tf.sequential({
      layers: [
        spectralNorm({layer, inputShape: [3]}),
        tf.layers.dense({name: 'head', units: 1}),
      ],
    });
    expect(freezeBatchNorm(model)).toBe(1);
    const before = weightsOf(layer.norm);
    await fit(model);
    expect(weightsOf(layer.norm)).toEqual(before);
    unfreezeBatchNorm(model);
    await fit(model);
    expect(weightsOf(layer.norm)).not.toEqual(before);
  });

  it('affine: computes the same in training as in prediction', () => {
    const model = deepModel();
    const [norm] = normsOf(model);
    freezeBatchNorm(model, {affine: true});
    expect(norm?.statistics).toBe('moving');
    expect(norm?.trainable).toBe(true);
    const x = randomTensor([16, 3], 1, 5, 2);
    const [trained, predicted] = [true, false].map((training) =>
      valuesOf(norm?.apply(x, {training}) as tf.Tensor),
    );
    expect(trained).toEqual(predicted);
  });

  it('freezes tf.js’s own layer while it is patched, and refuses it otherwise', async () => {
    const stock = tf.layers.batchNormalization({
      name: 'stock',
      inputShape: [3],
    });
    const model = tf.sequential({layers: [stock, tf.layers.dense({units: 1})]});
    expect(() => freezeBatchNorm(model)).toThrow(
      "freezeBatchNorm: stock is tf.js's own BatchNormalization, which keeps " +
        'updating its statistics when frozen; call patchStockLayers() ' +
        "first, or convertModel(model, {to: 'normalization'}). " +
        'Received: model="stock"',
    );
    const unpatch = patchStockLayers();
    try {
      freezeBatchNorm(model);
      const before = weightsOf(stock);
      await fit(model);
      expect(weightsOf(stock)).toEqual(before);
      expect(() => freezeBatchNorm(model, {affine: true})).toThrow(
        'Received: affine=true',
      );
      expect(unfreezeBatchNorm(model)).toBe(1);
      expect(stock.trainable).toBe(true);
    } finally {
      unpatch();
    }
  });

  it('refuses anything but a boolean', () => {
    const options = {affine: 1} as unknown as FreezeOptions;
    expect(() => freezeBatchNorm(deepModel(), options)).toThrow(
      'Received: affine=1',
    );
  });
});

describe('unfreezeBatchNorm', () => {
  it.each([
    ['auto', true],
    ['batch', true],
    ['moving', false],
  ] as const)(
    'restores statistics %s and trainable %s',
    (statistics, trainable) => {
      const model = deepModel({statistics, trainable});
      const [norm] = normsOf(model);
      const now = (): unknown => [norm?.statistics, norm?.trainable];
      freezeBatchNorm(model);
      freezeBatchNorm(model, {affine: true});
      freezeBatchNorm(model, {affine: true});
      expect(norm?.statistics).toBe('moving');
      freezeBatchNorm(model);
      expect(now()).toEqual([statistics, false]);
      expect(unfreezeBatchNorm(model)).toBe(1);
      expect(now()).toEqual([statistics, trainable]);
    },
  );

  it('skips layers that it did not freeze', () => {
    const model = deepModel({trainable: false});
    expect(unfreezeBatchNorm(model)).toBe(0);
    expect(normsOf(model)[0]?.trainable).toBe(false);
    freezeBatchNorm(model);
    unfreezeBatchNorm(model);
    expect(unfreezeBatchNorm(model)).toBe(0);
  });

  it('lets it train again', async () => {
    const model = deepModel();
    freezeBatchNorm(model);
    await fit(model);
    unfreezeBatchNorm(model);
    expect((await changedByFit(model)).sort()).toEqual([
      'head/bias',
      'head/kernel',
      'norm/beta',
      'norm/gamma',
      'norm/moving_mean',
      'norm/moving_variance',
    ]);
  });
});

function nestedModel(): tf.LayersModel {
  const inner = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
  const input = tf.input({shape: [3]});
  return tf.model({
    inputs: input,
    outputs: through(batchNorm(), through(inner, input)),
  });
}

describe('setStatistics', () => {
  it('sets every BatchNorm, through nested models', () => {
    const model = nestedModel();
    for (const mode of ['batch', 'moving', 'auto'] as const) {
      expect(setStatistics(model, mode)).toBe(2);
      expect(normsOf(model).map((norm) => norm.statistics)).toEqual([
        mode,
        mode,
      ]);
    }
  });

  it('batch: prediction standardizes by the batch', () => {
    const model = nestedModel();
    setStatistics(model, 'batch');
    const x = randomTensor([50, 3], 1, 20, 4);
    const y = model.predict(x) as tf.Tensor;
    const {mean, variance} = tf.moments(y, 0);
    // y's own roundings, of up to 2 or 3, and those of its mean.
    expectCloseNow(mean, [0, 0, 0], {what: 'mean', roundings: 16, scale: 2});
    // epsilon, twice, takes a little off; the rest is sums of 50 squares.
    const left = (values: ArrayLike<number>): number[] =>
      Array.from(values, (value) => value / (value + 1e-3));
    const expected = left(
      left(oracle(valuesOf(x), [50, 3], {axis: -1, epsilon: 1e-3}).variance),
    );
    expectCloseNow(variance, expected, {what: 'variance', roundings: 32});
  });

  it('leaves UnitNorm and SpectralNorm beside it alone', () => {
    const model = mixedModel();
    const others = model.layers.filter(({name}) => name !== 'norm');
    const before = others.map((layer) => [layer.getConfig(), weightsOf(layer)]);
    expect(setStatistics(model, 'batch')).toBe(1);
    tf.dispose(model.predict(randomTensor([5, 3], 1)));
    expect(
      others.map((layer) => [layer.getConfig(), weightsOf(layer)]),
    ).toEqual(before);
  });

  it('does nothing to a model without BatchNorm', () => {
    const dense = tf.layers.dense({units: 1, inputShape: [2]});
    expect(setStatistics(tf.sequential({layers: [dense]}), 'batch')).toBe(0);
  });

  it('refuses any other value, and tf.js’s own layer, and sets nothing', () => {
    const stock = tf.layers.batchNormalization({name: 'stock'});
    const layers = [batchNorm({inputShape: [3]}), stock];
    const model = tf.sequential({layers});
    expect(() => setStatistics(model, 'mine' as StatisticsMode)).toThrow(
      "setStatistics: mode must be one of 'auto', 'batch', 'moving'. " +
        'Received: mode="mine"',
    );
    expect(() => setStatistics(model, 'batch')).toThrow(
      "setStatistics: stock is tf.js's own BatchNormalization, which has no " +
        "choice of statistics; convertModel(model, {to: 'normalization'}) makes " +
        'it a BatchNorm. Received: mode="batch"',
    );
    expect(normsOf(model)[0]?.statistics).toBe('auto');
  });
});
