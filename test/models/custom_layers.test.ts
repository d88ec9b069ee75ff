// Tests every tool for models that contain custom layers.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  patchStockLayers,
  recalibrate,
  setStatistics,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {REBUILDING} from '../support/rebuilding.js';
import {difference} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';
import {
  Args,
  Holder,
  INNER_NORMS,
  KINDS,
  Nameless,
  first,
  modelWith,
  predict,
  x,
} from '../support/custom_layers.js';

describe.each(KINDS)('F3, F4, F6: beside %s', (name, Kind) => {
  // In files, tf.js loses the weights of a layer that does not pass on its
  // name, and refuses two weights of the same name.
  const isForFiles = name !== 'Nameless' && name !== 'InCollections';
  const tools = Object.keys(REBUILDING).filter(
    (tool) => isForFiles || !/fromKeras|toStock/.test(tool),
  );

  it.each(tools)(
    '%s predicts the same, and does not change the model',
    async (tool) => {
      for (const stock of tool === 'convertModel to stock'
        ? [false]
        : [true, false]) {
        const model = modelWith(Kind, stock);
        const expected = predict(model);
        const other = (await REBUILDING[tool]?.(model)) as tf.LayersModel;
        // The same layers in tf.js's own arithmetic or this package's, in a model of six.
        expectCloseNow(predict(other), expected, {what: 'y', roundings: 16});
        expect(difference(predict(model), expected)).toBe(0);
        // A second rebuild must work like the first.
        const again = (await REBUILDING[tool]?.(model)) as tf.LayersModel;
        expectCloseNow(predict(again), expected, {what: 'y', roundings: 16});
        if (!/fromKeras|toStock/.test(tool)) {
          expect(other.getUserDefinedMetadata()).toEqual({author: 'somebody'});
        }
      }
    },
  );

  it('freezing, statistics, recalibration and inspection find every layer', async () => {
    const model = modelWith(Kind);
    const inner = INNER_NORMS[name] ?? 0;
    const norms = 2 + 2 * inner;
    const layers = name === 'InCollections' ? 3 : 1;
    expect(await inspect(model)).toHaveLength(norms + layers);
    expect(setStatistics(model, 'batch')).toBe(norms);
    const batch = predict(model);
    expect(setStatistics(model, 'auto')).toBe(norms);
    expect(difference(predict(model), batch)).toBeGreaterThan(1e-3);
    await recalibrate(model, x(), {exact: true});
    // Statistics of a batch and of sums over it, through several layers that divide by
    // their roots.
    expectCloseNow(predict(model), batch, {what: 'y', roundings: 64});
    expect(freezeBatchNorm(model)).toBe(norms);
    const frozen = predict(model);
    const trained = model.apply(x(), {training: true}) as tf.Tensor;
    // The same arithmetic.
    expectCloseNow(trained, frozen, {what: 'y', roundings: 2});
    expect(difference(predict(model), frozen)).toBe(0);
    expect(unfreezeBatchNorm(model)).toBe(norms);
  });

  it('a patch changes no prediction', () => {
    const model = modelWith(Kind, true);
    const expected = predict(model);
    const unpatch = patchStockLayers();
    const patched = predict(model);
    unpatch();
    // As above.
    expectCloseNow(patched, expected, {what: 'y', roundings: 16});
    expect(difference(predict(model), expected)).toBe(0);
  });
});

describe('F4: a layer that does not pass on its name', () => {
  it('makes foldBatchNorm leak nothing', () => {
    const model = modelWith(Nameless);
    const before = tf.memory().numTensors;
    const folded = foldBatchNorm(model, {onReport: () => undefined});
    // tf.js's dispose skips the weights of nested models.
    tf.dispose(folded.weights.map((weight) => weight.read()));
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A layer whose config does not determine its number of weights. */
class Forgetful extends tf.layers.Layer {
  static readonly className = 'Forgetful';
  constructor(private readonly args: Args & {count?: number} = {}) {
    super(args);
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    for (let i = 0; i < (this.args.count ?? 1); i++) {
      this.addWeight(`w${i}`, [4], 'float32', tf.initializers.ones());
    }
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), 1);
  }
}

tf.serialization.registerClass(Forgetful);

describe('F4: a layer that cannot be rebuilt from its config', () => {
  it.each(['convertModel to ours', 'convertModel to stock', 'foldBatchNorm'])(
    'is named by %s, which leaks nothing',
    async (tool) => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({units: 4, inputShape: [4]}),
          new Forgetful({name: 'forgetful', count: 3}),
          batchNorm(),
        ],
      });
      const expected = predict(model);
      const before = tf.memory().numTensors;
      await expect(REBUILDING[tool]?.(model)).rejects.toThrow(
        /^(convertModel|foldBatchNorm): .*[Ff]orgetful.* weights.*Received: weights=/,
      );
      expect(tf.memory().numTensors).toBe(before);
      expect(difference(predict(model), expected)).toBe(0);
    },
  );
});

/** A normalization in a private field, invisible from outside. */
class Private extends Holder {
  static readonly className = 'Private';
  readonly #inner = batchNorm();
  held(): tf.layers.Layer[] {
    return [this.#inner];
  }
}

tf.serialization.registerClass(Private);

describe('F6: a normalization that cannot be found', () => {
  const layer = (): tf.LayersModel =>
    tf.sequential({
      layers: [batchNorm({inputShape: [4]}), new Private({name: 'private'})],
    });

  it.each<[string, (model: tf.LayersModel) => unknown]>([
    ['freezeBatchNorm', (model) => freezeBatchNorm(model)],
    ['setStatistics', (model) => setStatistics(model, 'batch')],
    ['recalibrate', (model) => recalibrate(model, x())],
    ['inspect', (model) => inspect(model)],
    [
      'foldBatchNorm',
      (model) => foldBatchNorm(model, {onReport: () => undefined}),
    ],
  ])('is reported by %s, naming the layer', async (name, tool) => {
    await tool(layer());
    expect(warnings()).toEqual([
      `${name}: these layers have moving statistics, but no normalization was ` +
        'found in them; keep it in a property: Private private',
    ]);
  });
});
