import {
  add,
  div,
  expm1,
  greater,
  maximum,
  mul,
  neg,
  reshape,
  scalar,
  sub,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';
import {MOVING_STATISTICS, required} from '../kernels/contract.js';
import {runKernel} from './run_kernel.js';

/** A mean and a variance for every channel. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * The moving statistics after a step: each is `old · (1 − rate) + new · rate`, and a
 * channel whose new mean or variance is not finite keeps both.
 *
 * @param rate The weight of the new value, from 0 to 1.
 */
export function moveStatistics(
  moving: Statistics,
  batch: Statistics,
  rate: number | Tensor,
): Statistics {
  const [mean, variance] = runKernel(MOVING_STATISTICS, [
    moving.mean,
    moving.variance,
    batch.mean,
    batch.variance,
    typeof rate === 'number' ? scalar(rate) : rate,
  ]);
  return {mean: required(mean), variance: required(variance)};
}

/**
 * The weight of the new value at step t of an exponential average that is
 * corrected for its start: `(1 − m) / (1 − mᵗ)`. It is 1 at the first step, and
 * 1 − m in the long run (Kingma and Ba, Adam, section 3).
 *
 * @param step t, counted from 1; as a tensor where only the device knows it.
 */
export function debiasedRate(
  momentum: number,
  step: number | Tensor,
): number | Tensor {
  if (typeof step === 'number') {
    return (1 - momentum) / (1 - Math.pow(momentum, step));
  }
  if (momentum === 0) return 1;
  // 1 − mᵗ as −expm1(t · ln m): the difference would lose its digits.
  return div(1 - momentum, neg(expm1(mul(step, Math.log(momentum)))));
}

/** The weight of the new value in a mean over all steps: `1 / (count + 1)`. */
export function cumulativeRate(count: Tensor): Tensor {
  return div(1, add(count, 1));
}

/**
 * The variance with Bessel's correction, from the biased one.
 *
 * @param count How many values it is of; one has no unbiased variance.
 */
export function unbiasedVariance(
  {mean, variance}: Statistics,
  count: number | Tensor,
): Statistics {
  if (typeof count === 'number') {
    const factor = count / Math.max(count - 1, 1);
    return {mean, variance: mul(variance, factor)};
  }
  const factor = div(count, maximum(sub(count, 1), 1));
  return {mean, variance: mul(reshape(variance, [-1]), factor)};
}

/**
 * The statistics after a step, where it had enough values for them: a channel
 * keeps its mean where it had none, and its variance where it had one or none.
 *
 * @param count How many values each of the step's statistics is of.
 */
export function keepWithoutValues(
  next: Statistics,
  moving: Statistics,
  count: number | Tensor,
): Statistics {
  if (typeof count === 'number') {
    return count > 1 ? next : {mean: next.mean, variance: moving.variance};
  }
  const counts = reshape(count, moving.mean.shape);
  return {
    mean: where(greater(counts, 0), next.mean, moving.mean),
    variance: where(greater(counts, 1), next.variance, moving.variance),
  };
}
