import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  setStatistics,
  type StatisticsMode,
} from 'tfjs-normalization';
import {normsOf, through} from '../support/models.js';
import {difference, randomTensor} from '../support/tensors.js';

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
    const y = model.predict(randomTensor([50, 3], 1, 20, 4)) as tf.Tensor;
    const {mean, variance} = tf.moments(y, 0);
    expect(difference(mean, [0, 0, 0])).toBeLessThan(1e-5);
    // epsilon, used twice, reduces it slightly.
    expect(difference(variance, [1, 1, 1])).toBeLessThan(3e-3);
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
