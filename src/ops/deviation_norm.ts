import {
  add,
  equal,
  mul,
  sqrt,
  square,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type {Parameters} from '../kernels/contract.js';
import {constantOf} from './constant.js';
import {indicator} from './indicator.js';
import {examplesLayout, groupsLayout} from './layout.js';
import {applyStatistics, normalize} from './normalize.js';

/** Options of {@link normalizeByDeviation}. */
export interface DeviationNormOptions extends Parameters {
  /** The axis of the channels, or null for one mean and deviation an example. */
  readonly axis: number | null;
  /** Added to the deviation, not to the variance. */
  readonly epsilon: number;
}

/**
 * Instance normalization with epsilon outside the root:
 *
 * `y = (x − mean) / (sqrt(variance) + epsilon) · gamma + beta`
 *
 * Differentiable to any order in x, gamma and beta; through the deviation of equal values
 * flows nothing.
 *
 * @param options gamma and beta have a value a channel, or one where `axis` is null.
 */
export function normalizeByDeviation(
  x: Tensor,
  {axis, epsilon, gamma, beta}: DeviationNormOptions,
): Tensor {
  const channels = axis === null ? 1 : (x.shape[axis] ?? 0);
  const others = x.shape.map((_, i) => i).slice(1);
  const layout =
    axis === null
      ? examplesLayout(x.shape, others, false)
      : groupsLayout(x.shape, axis, channels);
  const {mean, variance} = normalize(x, layout, {
    epsilon,
    differentiableStatistics: true,
  });
  // The root of 0 has no gradient.
  const isZero = constantOf(variance, (values) => indicator(equal(values, 0)));
  const deviation = mul(sqrt(add(variance, isZero)), sub(1, isZero));
  const divisor = square(add(deviation, epsilon));
  const inKernel = axis === null ? {} : {gamma, beta};
  const y = applyStatistics(x, mean, divisor, layout, {
    epsilon: 0,
    ...inKernel,
  });
  if (axis !== null) return y;
  const scaled = gamma ? mul(y, gamma) : y;
  return beta ? add(scaled, beta) : scaled;
}
