// LayerNorm with rmsScaling, beside Keras's numbers in keras_fixtures.test.ts.
import * as tf from '@tensorflow/tfjs';
import {layerNorm} from 'tfjs-normalization';
import {differences} from '../oracle/differences.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {reload} from '../support/memory_model.js';
import {expectNoStock} from '../support/stock.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

const EPSILON = 1e-3;

/** In float64, of rows of so many values. */
function scaled(x: readonly number[], length: number): number[] {
  return x.flatMap((_, i) => {
    if (i % length > 0) return [];
    const row = x.slice(i, i + length);
    const mean = row.reduce((a, b) => a + b, 0) / length;
    const squares = row.map((value) => (value - mean) ** 2);
    const variance = squares.reduce((a, b) => a + b, 0) / length;
    return row.map((value) => value / Math.sqrt(variance + EPSILON));
  });
}

const layer = (): tf.layers.Layer =>
  layerNorm({rmsScaling: true, epsilon: EPSILON, name: 'norm'});

it('LayerNorm with rmsScaling keeps its digits where the mean is large', async () => {
  const x = randomTensor([4, 16], 1, 1000);
  await expectClose(layer().apply(x) as tf.Tensor, scaled(valuesOf(x), 16), {
    what: 'y',
    // Three of x/σ itself, and those of a variance of 16 values.
    roundings: 8,
  });
});

it('LayerNorm with rmsScaling can be differentiated twice', () => {
  const x = randomTensor([2, 3], 2);
  const norm = layer();
  const f = (a: tf.Tensor): tf.Tensor =>
    tf.sum(tf.pow(norm.apply(a) as tf.Tensor, 3));
  const g = tf.grad(f);
  const penalty = tf.grad((a) => tf.sum(tf.square(g(a))))(x);

  const loss = (at: readonly number[]): number =>
    scaled(at, 3).reduce((sum, y) => sum + y ** 3, 0);
  const values = valuesOf(x);
  const expected = differences(values, (at) =>
    differences(at, loss).reduce((sum, d) => sum + d * d, 0),
  );
  expectCloseNow(penalty, expected, {
    what: 'the gradient of the squared gradient',
    // Differences of differences have about six digits; the rest of it is a few dozen
    // operations.
    roundings: 128,
  });
});

it('LayerNorm with rmsScaling gives an empty batch for one, and its gradient', () => {
  const norm = layer();
  norm.build([null, 3]);
  const f = (x: tf.Tensor): tf.Tensor => norm.apply(x) as tf.Tensor;
  expect(f(tf.zeros([0, 3])).shape).toEqual([0, 3]);
  expect(tf.grad(f)(tf.zeros([0, 3])).shape).toEqual([0, 3]);
});

describe('LayerNorm with rmsScaling in a model', () => {
  const make = (): tf.Sequential =>
    tf.sequential({
      layers: [layerNorm({rmsScaling: true, name: 'norm', inputShape: [3, 4]})],
    });

  it('is saved and loads with the same predictions', async () => {
    const model = make();
    const x = randomTensor([2, 3, 4], 1);
    const loaded = await reload(model);
    expect(valuesOf(loaded.predict(x) as tf.Tensor)).toEqual(
      valuesOf(model.predict(x) as tf.Tensor),
    );
    expect(loaded.layers[0]?.getConfig()).toEqual(model.layers[0]?.getConfig());
    model.dispose();
    loaded.dispose();
  });

  it('learns, and leaves no tensor', async () => {
    const model = make();
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const x = randomTensor([6, 3, 4], 1);
    const y = randomTensor([6, 3, 4], 2);
    await model.fit(x, y, {epochs: 1, verbose: 0});
    const before = tf.memory().numTensors;
    const {history} = await model.fit(x, y, {epochs: 4, verbose: 0});
    expect(tf.memory().numTensors).toBe(before);
    expect(Number(history.loss?.[3])).toBeLessThan(Number(history.loss?.[0]));
    model.dispose();
  });

  it('becomes no stock layer, which has another formula', async () => {
    const model = make();
    await expectNoStock(
      model,
      'LayerNorm norm: stock tf.js has no such rmsScaling. ' +
        'Received: rmsScaling=true',
    );
    model.dispose();
  });
});
