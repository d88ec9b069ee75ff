import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {difference, randomTensor, weightsOf} from '../support/tensors.js';
import {trainsStockLayers} from '../support/stock_training.js';

const TRAINING = {training: true};

/** Returns `x` and a layer whose statistics differ from those of `x`. */
function trained(args = {}): {
  layer: ReturnType<typeof batchNorm>;
  x: tf.Tensor;
} {
  const layer = batchNorm({momentum: 0.5, ...args});
  const x = randomTensor([16, 3], 1, 5, 2);
  layer.apply(x, TRAINING);
  return {layer, x};
}

// A frozen stock layer still uses the batch's statistics and updates the moving
// ones; Keras, since version 2.1.3, does neither.
describe('a frozen BatchNorm', () => {
  it('predicts in training, bit for bit, and writes nothing', () => {
    const {layer, x} = trained();
    layer.trainable = false;
    const before = weightsOf(layer);
    const y = layer.apply(x, TRAINING) as tf.Tensor;
    expect(difference(y, layer.apply(x) as tf.Tensor)).toBe(0);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('has Keras 3.15 numbers: 9.995… for 10, statistics 0 and 1', () => {
    // keras.layers.BatchNormalization(trainable=False)(10 * ones((4, 2)),
    //   training=True) → 9.995003
    const layer = batchNorm({trainable: false});
    const y = layer.apply(tf.fill([4, 2], 10), TRAINING) as tf.Tensor;
    // epsilon, the root and the product; Keras's digits end within one more.
    expectCloseNow(y, Array<number>(8).fill(9.995003), {
      what: 'y',
      roundings: 3,
    });
    expect(weightsOf(layer)).toMatchObject({
      moving_mean: [0, 0],
      moving_variance: [1, 1],
    });
  });

  it('can be toggled at any time, without rebuilding', () => {
    const {layer, x} = trained();
    for (const frozen of [true, false, true, false]) {
      layer.trainable = !frozen;
      const before = weightsOf(layer).moving_mean;
      layer.apply(tf.add(x, 1), TRAINING);
      const same = difference(before ?? [], weightsOf(layer).moving_mean ?? []);
      expect(same === 0).toBe(frozen);
    }
  });

  it.each([
    [
      'by layer.trainable',
      (layer: tf.layers.Layer) => {
        layer.trainable = false;
      },
    ],
    [
      'by model.trainable',
      (_: tf.layers.Layer, model: tf.Sequential) => {
        model.trainable = false;
      },
    ],
  ])('keeps its moving statistics through fit, %s', async (_, freeze) => {
    const base = tf.sequential();
    const layer = batchNorm({inputShape: [3]});
    base.add(layer);
    freeze(layer, base);
    const model = tf.model({
      inputs: base.inputs,
      outputs: tf.layers
        .dense({units: 1})
        .apply(base.outputs[0] as tf.SymbolicTensor) as tf.SymbolicTensor,
    });
    trainsStockLayers();
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const before = weightsOf(layer);
    const x = randomTensor([8, 3], 2, 4);
    await model.fit(x, tf.ones([8, 1]), {epochs: 2, verbose: 0});
    expect(weightsOf(layer)).toEqual(before);
  });

  it('uses the batch’s statistics if requested, and stores none', () => {
    const {layer, x} = trained({statistics: 'batch'});
    const thawed = layer.apply(x) as tf.Tensor;
    layer.trainable = false;
    const before = weightsOf(layer);
    const y = layer.apply(x, TRAINING) as tf.Tensor;
    expect(difference(y, thawed)).toBe(0);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('passes gradients on with the statistics held constant', () => {
    const {layer, x} = trained();
    layer.trainable = false;
    const dx = tf.grad((a: tf.Tensor) => layer.apply(a, TRAINING) as tf.Tensor)(
      x,
    );
    const {moving_variance: variance = []} = weightsOf(layer);
    const row = variance.map((v) => 1 / Math.sqrt(v + 1e-3));
    const expected = tf.tile(tf.tensor2d([row]), [16, 1]);
    // epsilon, the root and the product.
    expectCloseNow(dx, expected, {what: 'dx', roundings: 8});
  });
});

describe('BatchNorm: statistics', () => {
  it('batch: 100 predictions use the batch and write nothing', () => {
    const layer = batchNorm({statistics: 'batch', inputShape: [3]});
    const model = tf.sequential({layers: [layer]});
    const x = randomTensor([16, 3], 3, 7, 2);
    const before = weightsOf(layer);
    const {numTensors} = tf.memory();
    for (let i = 0; i < 100; i++) tf.dispose(model.predict(x));
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(weightsOf(layer)).toEqual(before);
    const y = model.predict(x) as tf.Tensor;
    const expected = batchNorm().apply(x, TRAINING) as tf.Tensor;
    expect(difference(y, expected)).toBe(0);
  });

  it('moving: training uses the moving ones and does not update them', () => {
    const {layer, x} = trained();
    layer.statistics = 'moving';
    const before = weightsOf(layer);
    const y = layer.apply(x, TRAINING) as tf.Tensor;
    expect(difference(y, layer.apply(x) as tf.Tensor)).toBe(0);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('auto and batch: training updates them; it can be set at any time', () => {
    const {layer, x} = trained();
    for (const mode of ['batch', 'auto', 'batch'] as const) {
      layer.statistics = mode;
      const before = weightsOf(layer).moving_mean ?? [];
      layer.apply(tf.add(x, 3), TRAINING);
      const after = weightsOf(layer).moving_mean ?? [];
      expect(difference(before, after)).toBeGreaterThan(0);
    }
    expect(layer.getConfig().statistics).toBe('batch');
  });

  it('refuses any other value when set', () => {
    const layer = batchNorm({name: 'bn'});
    expect(() => {
      (layer as unknown as {statistics: string}).statistics = 'mine';
    }).toThrow(
      "BatchNorm bn: statistics must be one of 'auto', 'batch', 'moving'. " +
        'Received: statistics="mine"',
    );
  });
});
