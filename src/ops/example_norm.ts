import {type Tensor, zerosLike} from '@tensorflow/tfjs-core';
import {secondViewIsCheap} from '../kernels/registry.js';
import type {Parameters} from '../kernels/contract.js';
import {examplesLayout} from './layout.js';
import {applyStatistics, normalize, scaleAndShift} from './normalize.js';

/** Options of {@link normalizeExamples}. */
export interface ExampleNormOptions extends Parameters {
  /** The axes that are normalized: not negative, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  /** If true, the mean is subtracted. Defaults to true. */
  readonly centered?: boolean | undefined;
}

/** Normalizes each example by itself, over the given axes. */
export function normalizeExamples(
  x: Tensor,
  {axes, epsilon, centered, gamma, beta}: ExampleNormOptions,
): Tensor {
  const parameters = gamma !== undefined || beta !== undefined;
  const layout = examplesLayout(x.shape, axes, parameters);
  if (layout.permutation !== undefined && secondViewIsCheap()) {
    const plain = examplesLayout(x.shape, axes, false);
    if (plain.permutation === undefined) {
      // One pass more costs less than to transpose x, y and both of their gradients;
      // of composed kernels it would be twenty calls.
      const {y} = normalize(x, plain, {epsilon, centered});
      return scaleAndShift(y, {gamma, beta}, axes);
    }
  }
  return normalize(x, layout, {epsilon, centered, gamma, beta}).y;
}

/**
 * Divides each example by its standard deviation over the given axes, without
 * centering it: `x / sqrt(variance + epsilon) · gamma`.
 */
export function scaleExamples(
  x: Tensor,
  {axes, epsilon, gamma}: Omit<ExampleNormOptions, 'centered' | 'beta'>,
): Tensor {
  // tf.js's sums take no empty tensor on GPUs.
  if (x.size === 0) return normalizeExamples(x, {axes, epsilon, gamma});
  const layout = examplesLayout(x.shape, axes, gamma !== undefined);
  const {variance} = normalize(x, layout, {epsilon, statistics: true});
  return applyStatistics(x, zerosLike(variance), variance, layout, {
    epsilon,
    centered: false,
    gamma,
  });
}
