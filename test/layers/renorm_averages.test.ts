// The moving averages of renorm, in every kind of average.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, type BatchNormArgs} from 'tfjs-normalization';
import {type CallOptions, weightOf} from '../fixtures/layer_run.js';
import * as oracle from '../oracle/by_axes.js';
import {expectClose} from '../support/close.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';

/** Of a few steps of values like those in renorm.test.ts, where it is argued. */
const STATE_ROUNDINGS = 24;

describe('the averages', () => {
  const x = (seed: number): tf.Tensor => randomTensor([8, 2], seed, 3, 2);

  /** The statistics of a batch, in float64. */
  const statistics = (seed: number): {mean: number[]; variance: number[]} => {
    const {mean, variance} = oracle.batchNorm(valuesOf(x(seed)), [8, 2], {
      axis: 1,
      epsilon: 1e-3,
    });
    return {mean: Array.from(mean), variance: Array.from(variance)};
  };

  const after = (options: BatchNormArgs, steps: number): tf.layers.Layer => {
    const layer = batchNorm({renorm: true, ...options});
    for (let i = 0; i < steps; i++) layer.apply(x(i), {training: true});
    return layer;
  };

  it("are corrected for their start, if 'debiased'", async () => {
    const layer = after({movingAverage: 'debiased'}, 1);
    const {mean, variance} = statistics(0);
    const close = {roundings: STATE_ROUNDINGS};
    await expectClose(weightOf(layer, 'moving_mean'), mean, {
      what: 'moving_mean',
      ...close,
    });
    await expectClose(weightOf(layer, 'moving_variance'), variance, {
      what: 'moving_variance',
      ...close,
    });
    // Training corrects towards an exponential average in any case.
    await expectClose(
      weightOf(layer, 'renorm_mean'),
      mean.map((value) => value * 0.01),
      {what: 'renorm_mean', roundings: STATE_ROUNDINGS},
    );
  });

  it("are means over all steps, if 'cumulative'", async () => {
    const layer = after({movingAverage: 'cumulative'}, 3);
    const all = [0, 1, 2].map(statistics);
    const meanOf = (of: (i: number) => number): number =>
      [0, 1, 2].reduce((sum, i) => sum + of(i), 0) / 3;
    const stddev = [0, 1].map((c) =>
      meanOf((i) => Math.sqrt((all[i]?.variance[c] ?? NaN) + 1e-3)),
    );
    await expectClose(weightOf(layer, 'moving_stddev'), stddev, {
      what: 'moving_stddev',
      roundings: STATE_ROUNDINGS,
    });
    await expectClose(
      weightOf(layer, 'moving_variance'),
      stddev.map((value) => value ** 2 - 1e-3),
      {what: 'moving_variance', roundings: 2 * STATE_ROUNDINGS},
    );
    expect(valuesOf(weightOf(layer, 'num_batches'))).toEqual([3]);
  });

  it('are of unbiased variances for prediction alone, if asked', async () => {
    const layer = after({unbiasedMovingVariance: true, momentum: 0}, 1);
    const unbiased = statistics(0).variance.map((value) => (value * 8) / 7);
    await expectClose(weightOf(layer, 'moving_variance'), unbiased, {
      what: 'moving_variance',
      roundings: 2 * STATE_ROUNDINGS,
    });
    const biased = statistics(0).variance.map(
      (value) => 0.99 + 0.01 * Math.sqrt(value + 1e-3),
    );
    await expectClose(weightOf(layer, 'renorm_stddev'), biased, {
      what: 'renorm_stddev',
      roundings: STATE_ROUNDINGS,
    });
  });

  const unmoved = (
    options: BatchNormArgs,
    call: CallOptions,
    input = x(1),
  ): void => {
    const layer = batchNorm({renorm: true, ...options});
    layer.build([null, 2]);
    const before = weightsOf(layer);
    const y = layer.apply(input, call) as tf.Tensor;
    expect(valuesOf(y).every(Number.isFinite)).toBe(true);
    expect(weightsOf(layer)).toEqual(before);
  };

  it.each<[string, BatchNormArgs, CallOptions]>([
    ['in prediction', {}, {}],
    ['in prediction with batch statistics', {statistics: 'batch'}, {}],
    ['with moving statistics', {statistics: 'moving'}, {training: true}],
    ['in a frozen layer', {trainable: false}, {training: true}],
  ])('do not move %s', (_, options, call) => {
    unmoved(options, call);
  });

  it('do not move by a batch that is all masked', () => {
    const layer = batchNorm({renorm: true});
    layer.build([null, 3, 2]);
    const before = weightsOf(layer);
    const mask = tf.zeros([4, 3], 'bool');
    const input = randomTensor([4, 3, 2], 1);
    const y = layer.apply(input, {training: true, mask}) as tf.Tensor;
    expect(valuesOf(y).every(Number.isFinite)).toBe(true);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('do not move by an empty batch, whose gradient is empty', () => {
    const layer = batchNorm({renorm: true});
    layer.build([null, 2]);
    const before = weightsOf(layer);
    const empty = tf.zeros([0, 2]);
    const f = (x: tf.Tensor): tf.Tensor =>
      layer.apply(x, {training: true}) as tf.Tensor;
    expect(f(empty).shape).toEqual([0, 2]);
    expect(tf.grad(f)(empty).shape).toEqual([0, 2]);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('keep all of a channel whose statistics are not finite', () => {
    const layer = batchNorm({renorm: true, momentum: 0.5, renormMomentum: 0.5});
    layer.apply(tf.tensor2d([1, NaN, 3, 4], [2, 2]), {training: true});
    const {gamma, beta, ...state} = weightsOf(layer);
    expect([gamma, beta]).toEqual([
      [1, 1],
      [0, 0],
    ]);
    const second = Object.values(state).map((values) => values[1]);
    expect(second).toEqual([0, 1, 1, 0, 1]);
    expect(state.moving_mean?.[0]).toBe(1);
    expect(state.renorm_mean?.[0]).toBe(1);
  });

  it('keep their deviations where a statistic is of one value', () => {
    const layer = batchNorm({renorm: true, momentum: 0, renormMomentum: 0});
    layer.apply(tf.tensor2d([[5, 7]]), {training: true});
    expect(weightsOf(layer)).toMatchObject({
      moving_mean: [5, 7],
      moving_variance: [1, 1],
      moving_stddev: [1, 1],
      renorm_mean: [5, 7],
      renorm_stddev: [1, 1],
    });
    expect(warnings()).toHaveLength(1);
  });
});
