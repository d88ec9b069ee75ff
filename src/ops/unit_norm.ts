import {
  abs,
  add,
  clone,
  div,
  equal,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  max,
  mul,
  rsqrt,
  sqrt,
  square,
  sub,
  type Tensor,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {blockedSum} from '../kernels/blocked_mean.js';
import {constantOf} from './constant.js';
import {inFewRuns} from './few_runs.js';
import {indicator} from './indicator.js';
import {whereAnyRank} from './where_any_rank.js';

/**
 * Divides vectors by their Euclidean length: `x / max(sqrt(Σ x²), shortest)`.
 *
 * Differentiable to any order. The gradient of a vector of zeros is zero.
 *
 * @param axes The axes of a vector: not negative, ascending.
 * @param shortest The least length that becomes 1, from 1e-37. Shorter vectors are divided
 *   by it, and stay shorter than 1.
 */
export function normalizeLength(
  x: Tensor,
  axes: readonly number[],
  shortest: number,
): Tensor {
  if (x.size === 0) return clone(x);
  return inFewRuns(x, axes, (vectors, along) =>
    divideByLength(vectors, along, shortest),
  );
}

function divideByLength(
  x: Tensor,
  axes: readonly number[],
  shortest: number,
): Tensor {
  // The square of a value above 1e19 or below 1e-19 is no float32. The result does not
  // depend on the scale, so that it may be a constant to the gradient.
  const scale = constantOf(x, (values) => {
    const largest = max(abs(values), [...axes], true);
    return add(largest, indicator(equal(largest, 0)));
  });
  const scaled = div(x, scale);
  const squares = blockedSum(square(scaled), axes, true);
  const isLong = constantOf(squares, (values) =>
    indicator(greaterEqual(lengthOf(scale, values), shortest)),
  );
  // The factor for short vectors; 0 for all others, and for zeros.
  const ofShort = constantOf(squares, (values) => {
    const isShort = less(lengthOf(scale, values), shortest);
    const factor = mul(scale, 1 / shortest);
    return whereAnyRank(
      logicalAnd(isShort, greater(values, 0)),
      factor,
      zerosLike(values),
    );
  });
  // The gradient of a root at 0 would not be finite.
  const inverse = rsqrt(add(squares, sub(1, isLong)));
  return mul(scaled, add(mul(inverse, isLong), ofShort));
}

function lengthOf(scale: Tensor, squares: Tensor): Tensor {
  return mul(scale, sqrt(squares));
}
