import {
  add,
  broadcastTo,
  clone,
  customGrad,
  div,
  fill,
  greater,
  isFinite as isFiniteTensor,
  max,
  maximum,
  mul,
  notEqual,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {blockedSum} from '../kernels/blocked_mean.js';
import {constantOf} from './constant.js';
import {indicator} from './indicator.js';
import type {Statistics} from './moving_statistics.js';
import {whereAnyRank} from './where_any_rank.js';

/** Below any float32 that is data. */
const LOWEST = -3.4e38;

/** The statistics of what a mask leaves, and of how many values they are. */
export interface MaskedStatistics extends Statistics {
  /** The number of values in each statistic: a vector. */
  readonly count: Tensor;
}

/**
 * If true, a mask fits x: it has fewer axes than x, each as long as x's or of length
 * one. Its axes are x's first ones.
 */
export function maskFits(mask: Tensor, x: Tensor): boolean {
  return (
    mask.rank < x.rank &&
    mask.shape.every((length, axis) => length === 1 || length === x.shape[axis])
  );
}

/** The mask with as many axes as x, the missing ones of length one. */
export function alignMask(mask: Tensor, x: Tensor): Tensor {
  const missing = new Array<number>(x.rank - mask.rank).fill(1);
  const aligned = reshape(mask, [...mask.shape, ...missing]);
  // Not a cast: wasm's copies the bytes, and a 2 would count twice.
  return mask.dtype === 'bool' ? aligned : notEqual(aligned, 0);
}

/** x with zeros where the mask is false. */
export function blankMasked(x: Tensor, aligned: Tensor): Tensor {
  return whereAnyRank(broadcastTo(aligned, x.shape), x, zerosLike(x));
}

/**
 * x with zeros where the mask is false and the value is not finite, so that NaN in
 * padding reaches no gradient. Every other value stays.
 */
export function blankMaskedNonFinite(x: Tensor, aligned: Tensor): Tensor {
  // Plain core ops would put IsFinite on the tape, which has no gradient.
  const finite = constantOf(x, (values) => indicator(isFiniteTensor(values)));
  const blanked = customGrad((input) => {
    const values = input as Tensor;
    return {
      value: whereAnyRank(isFiniteTensor(values), values, zerosLike(values)),
      gradFunc: (dy) => clone(dy),
    };
  });
  const harmless = mul(blanked(x), finite);
  return whereAnyRank(broadcastTo(aligned, x.shape), x, harmless);
}

/**
 * Mean and biased variance, for each feature, of the values that the mask leaves:
 * 0 and 0 where it leaves none. Differentiable in x.
 *
 * @param x A tensor, blanked by {@link blankMasked}.
 * @param aligned The mask as {@link alignMask} gives it.
 * @param features The feature axes, ascending.
 * @return Vectors with a value per feature.
 */
export function maskedStatistics(
  x: Tensor,
  aligned: Tensor,
  features: readonly number[],
): MaskedStatistics {
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => !features.includes(axis));
  const present = indicator(aligned);
  const count = countPresent(present, x, axes);
  const safeCount = maximum(count, 1);
  const mean = (values: Tensor): Tensor =>
    div(blockedSum(values, axes, true), safeCount);

  const origin = largestPresent(x, aligned, axes);
  const shifted = mul(sub(x, origin), present);
  const offset = mean(shifted);
  const deviation = mul(sub(shifted, offset), present);
  const found = indicator(greater(count, 0));
  const featureShape = x.shape.map((length, axis) =>
    features.includes(axis) ? length : 1,
  );
  const asVector = (values: Tensor): Tensor =>
    reshape(broadcastTo(values, featureShape), [-1]);
  return {
    mean: asVector(mul(add(origin, offset), found)),
    variance: asVector(mean(square(deviation))),
    count: asVector(count),
  };
}

/** As many values as the mask leaves, times the lengths of the axes it lacks. */
function countPresent(present: Tensor, x: Tensor, axes: number[]): Tensor {
  const unmasked = axes
    .filter((axis) => present.shape[axis] === 1)
    .reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  return mul(sum(present, axes, true), unmasked);
}

/**
 * One value of the data for each feature, a constant to the gradient: subtracted
 * before anything is summed, it keeps the numbers small.
 */
function largestPresent(x: Tensor, aligned: Tensor, axes: number[]): Tensor {
  const largest = constantOf(x, (values) => {
    const everywhere = broadcastTo(aligned, values.shape);
    const candidates = whereAnyRank(
      everywhere,
      values,
      fill(values.shape, LOWEST),
    );
    return max(candidates, axes, true);
  });
  return mul(largest, max(indicator(aligned), axes, true));
}
