import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  setStatistics,
  type StatisticsMode,
} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {mixedModel, normsOf, through} from '../support/models.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';

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
