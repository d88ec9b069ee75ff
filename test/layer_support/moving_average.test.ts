import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {
  difference,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';

const TRAINING = {training: true};

/** Batches with mean 1, 2, 3 … and variance 1, 4, 9 … */
function batches(count: number): tf.Tensor[] {
  return Array.from({length: count}, (_, i) =>
    tf.tensor2d([[0], [2 * (i + 1)]]),
  );
}

const moments = (layer: tf.layers.Layer): [number, number] => {
  const {moving_mean: mean = [], moving_variance: variance = []} =
    weightsOf(layer);
  return [mean[0] ?? NaN, variance[0] ?? NaN];
};

function train(layer: tf.layers.Layer, xs: tf.Tensor[]): void {
  for (const x of xs) layer.apply(x, TRAINING);
}

describe('the exponential average', () => {
  it('is old · m + new · (1 − m), from 0 and 1', () => {
    const layer = batchNorm({momentum: 0.9});
    train(layer, batches(3));
    let [mean, variance] = [0, 1];
    for (const i of [1, 2, 3]) {
      mean = mean * 0.9 + i * 0.1;
      variance = variance * 0.9 + i * i * 0.1;
    }
    const [storedMean, storedVariance] = moments(layer);
    // Three steps of two products, a sum and a rate.
    expectCloseNow([storedMean], [mean], {what: 'mean', roundings: 12});
    // As above; it grows, so that most of them are small.
    expectCloseNow([storedVariance], [variance], {
      what: 'variance',
      roundings: 4,
    });
  });

  it.each([0, 1])('has momentum %d', (momentum) => {
    const layer = batchNorm({momentum});
    train(layer, batches(4));
    expect(moments(layer)).toEqual(momentum === 1 ? [0, 1] : [4, 16]);
  });

  it('with momentum 0 is the new value, however much smaller than the old', () => {
    const layer = batchNorm({momentum: 0});
    train(layer, [tf.tensor2d([[1e8], [3e8]]), tf.tensor2d([[1], [3]])]);
    expect(moments(layer)).toEqual([2, 1]);
  });

  it('warns once if a prediction uses mostly its initial value', () => {
    const layer = batchNorm({name: 'bn', momentum: 0.9});
    const x = tf.tensor2d([[1], [2]]);
    layer.apply(x);
    expect(warnings()).toEqual([]);
    train(layer, batches(3));
    layer.apply(x);
    layer.apply(x);
    expect(warnings()).toEqual([
      'BatchNorm bn: prediction uses moving statistics that are still 73% ' +
        'initial value, and may look untrained. recalibrate(model, data) cures ' +
        "it now, and BatchNorm's movingAverage 'debiased' or 'cumulative', or a " +
        'smaller momentum, from the start. Received: momentum=0.9',
    ]);
  });

  it('does not warn after it has moved away, or if its weights were loaded', () => {
    const x = tf.tensor2d([[1], [2]]);
    const moved = batchNorm({momentum: 0.5});
    train(moved, batches(4));
    moved.apply(x);
    const loaded = batchNorm();
    train(loaded, batches(1));
    loaded.setWeights(moved.getWeights());
    loaded.apply(x);
    train(loaded, batches(1));
    loaded.apply(x);
    expect(warnings()).toEqual([]);
  });
});

describe('the debiased average', () => {
  it('is the batch’s at the first step, then weighted almost evenly', () => {
    const m = 0.99;
    const layer = batchNorm({movingAverage: 'debiased', momentum: m});
    let [top, bottom] = [0, 0];
    batches(5).forEach((x, i) => {
      layer.apply(x, TRAINING);
      // The exponential average from zero, over the sum of its weights.
      top = top * m + (i + 1) * (1 - m);
      bottom = bottom * m + (1 - m);
      // Five steps of two products, a sum and a rate.
      expectCloseNow([moments(layer)[0]], [top / bottom], {
        what: 'mean',
        roundings: 20,
      });
    });
    expect(warnings()).toEqual([]);
  });

  it('keeps a small variance of the first step', () => {
    const layer = batchNorm({movingAverage: 'debiased'});
    train(layer, [tf.tensor2d([[0], [2e-4]])]);
    // A mean, differences, squares and their mean.
    expectCloseNow([moments(layer)[1] / 1e-8], [1], {
      what: 'variance',
      roundings: 8,
    });
  });

  it('is past its start once weights are set', () => {
    const layer = batchNorm({movingAverage: 'debiased', momentum: 0.9});
    train(layer, batches(1));
    const set = [1, 0, 10, 10].map((value) => tf.tensor1d([value]));
    layer.setWeights(set);
    train(layer, batches(1));
    // Two steps of two products, a sum and a rate.
    expectCloseNow([moments(layer)[0]], [10 * 0.9 + 0.1], {
      what: 'mean',
      roundings: 8,
    });
  });

  it('is past its start after a model was loaded', async () => {
    const model = tf.sequential();
    model.add(
      batchNorm({movingAverage: 'debiased', momentum: 0.9, inputShape: [1]}),
    );
    train(model.layers[0] as tf.layers.Layer, batches(1));
    let saved: tf.io.ModelArtifacts | undefined;
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({
          modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts),
        });
      }),
    );
    const loaded = await tf.loadLayersModel(
      tf.io.fromMemory(saved as tf.io.ModelArtifacts),
    );
    const layer = loaded.layers[0] as tf.layers.Layer;
    expect(moments(layer)).toEqual([1, 1]);
    train(layer, [tf.tensor2d([[10], [12]])]);
    // As above.
    expectCloseNow([moments(layer)[0]], [1 * 0.9 + 11 * 0.1], {
      what: 'mean',
      roundings: 8,
    });
  });

  it('does not count steps that are all masked out', () => {
    const layer = batchNorm({movingAverage: 'debiased', momentum: 0.5});
    const nothing = {...TRAINING, mask: tf.zeros([2], 'bool')};
    const all = {...TRAINING, mask: tf.ones([2], 'bool')};
    const [first, second] = batches(2) as [tf.Tensor, tf.Tensor];
    layer.apply(first, nothing);
    expect(moments(layer)).toEqual([0, 1]);
    layer.apply(first, all);
    // One step of two products, a sum and a rate.
    expectCloseNow([moments(layer)[0]], [1], {what: 'mean', roundings: 4});
    layer.apply(second, nothing);
    layer.apply(second, TRAINING);
    // Two steps.
    expectCloseNow([moments(layer)[0]], [(1 * 0.25 + 2 * 0.5) / 0.75], {
      what: 'mean',
      roundings: 8,
    });
    const {numTensors} = tf.memory();
    layer.dispose();
    // gamma, beta, two moving statistics, and the count of masked steps.
    expect(tf.memory().numTensors).toBe(numTensors - 5);
  });

  it('refuses momentum 1, with which it would never move', () => {
    expect(() =>
      batchNorm({name: 'bn', movingAverage: 'debiased', momentum: 1}),
    ).toThrow(
      "BatchNorm bn: momentum must be below 1 with movingAverage 'debiased', " +
        'or nothing would ever move. Received: momentum=1',
    );
  });
});

describe('the cumulative average', () => {
  it('is the mean over all steps, which are counted and saved', () => {
    const layer = batchNorm({movingAverage: 'cumulative'});
    train(layer, batches(4));
    const [mean, variance] = moments(layer);
    // Four steps, of which each takes less of the roundings before.
    expectCloseNow([mean], [2.5], {what: 'mean', roundings: 3});
    // As above.
    expectCloseNow([variance], [30 / 4], {what: 'variance', roundings: 8});
    expect(weightsOf(layer).num_batches).toEqual([4]);
    const resumed = batchNorm({movingAverage: 'cumulative'});
    resumed.build([null, 1]);
    resumed.setWeights(layer.getWeights());
    train(resumed, [tf.tensor2d([[0], [15]])]);
    // One step more.
    expectCloseNow([moments(resumed)[0]], [(4 * 2.5 + 7.5) / 5], {
      what: 'mean',
      roundings: 8,
    });
  });
});

describe.each(['exponential', 'debiased', 'cumulative'] as const)(
  'any average: %s',
  (movingAverage) => {
    it('restarts on request', () => {
      const layer = batchNorm({movingAverage, movingMeanInitializer: 'ones'});
      train(layer, batches(3));
      layer.resetStatistics();
      expect(moments(layer)).toEqual([1, 1]);
      const fresh = batchNorm({movingAverage, movingMeanInitializer: 'ones'});
      train(layer, batches(2));
      train(fresh, batches(2));
      expect(weightsOf(layer)).toEqual(weightsOf(fresh));
    });

    it('keeps both statistics of a channel that is not finite', () => {
      const layer = batchNorm({movingAverage});
      const good = tf.tensor2d([
        [0, 1, 2, 3],
        [2, 3, 4, 5],
      ]);
      layer.apply(good, TRAINING);
      const before = weightsOf(layer);
      const bad = tf.tensor2d([
        [NaN, 7, Infinity, 3e38],
        [2, 9, 4, -3e38],
      ]);
      layer.apply(bad, TRAINING);
      const after = weightsOf(layer);
      for (const name of ['moving_mean', 'moving_variance']) {
        for (const channel of [0, 2, 3]) {
          expect(after[name]?.[channel]).toBe(before[name]?.[channel]);
        }
      }
      expect(after.moving_mean?.[1]).not.toBe(before.moving_mean?.[1]);
      expect(after.moving_mean?.every(Number.isFinite)).toBe(true);
    });

    it('with one value per statistic moves only the mean, and warns', () => {
      const layer = batchNorm({name: 'bn', movingAverage});
      train(layer, [tf.tensor2d([[0], [2]])]);
      const [, variance] = moments(layer);
      const before = moments(layer)[0];
      const beta = 0;
      const y = layer.apply(tf.tensor2d([[9]]), TRAINING) as tf.Tensor;
      layer.apply(tf.tensor2d([[9]]), TRAINING);
      expect(valuesOf(y)).toEqual([beta]);
      expect(moments(layer)[1]).toBe(variance);
      expect(moments(layer)[0]).toBeGreaterThan(before);
      expect(warnings()).toEqual([
        'BatchNorm bn: in training each statistic is of one value, so that the ' +
          'output is beta and nothing is learnt; the moving variance stays. A ' +
          'larger batch cures it, or LayerNorm, which needs none. Received: ' +
          'values=1',
      ]);
    });

    it('does not move for an empty batch', () => {
      const layer = batchNorm({movingAverage});
      train(layer, batches(1));
      const before = weightsOf(layer);
      const y = layer.apply(tf.zeros([0, 1]), TRAINING) as tf.Tensor;
      expect(y.shape).toEqual([0, 1]);
      expect(weightsOf(layer)).toEqual(before);
    });
  },
);

describe('unbiasedMovingVariance', () => {
  it('averages unbiased variances, and normalizes with biased ones', () => {
    const x = randomTensor([10, 3], 3, 2, 2);
    const biased = batchNorm({momentum: 0});
    const unbiased = batchNorm({momentum: 0, unbiasedMovingVariance: true});
    const y = unbiased.apply(x, TRAINING) as tf.Tensor;
    expect(difference(y, biased.apply(x, TRAINING) as tf.Tensor)).toBe(0);
    const expected = (weightsOf(biased).moving_variance ?? []).map(
      (variance) => (variance * 10) / 9,
    );
    // A factor, and one product.
    expectCloseNow(weightsOf(unbiased).moving_variance ?? [], expected, {
      what: 'variance',
      roundings: 2,
    });
  });

  it('counts only values that a mask keeps', () => {
    const layer = batchNorm({momentum: 0, unbiasedMovingVariance: true});
    const mask = tf.tensor1d([1, 1, 1, 0], 'bool');
    layer.apply(tf.tensor2d([[1], [2], [3], [99]]), {...TRAINING, mask});
    // Differences, squares, a sum, and a factor.
    expectCloseNow([moments(layer)[1]], [1], {what: 'variance', roundings: 4});
  });
});

describe('resetStatistics', () => {
  it('reports that there are none yet', () => {
    expect(() => batchNorm({name: 'bn'}).resetStatistics()).toThrow(
      'BatchNorm bn: it is not built yet. ' + 'Received: built=false',
    );
  });
});
