import {
  reshape,
  type Tensor,
  type TensorLike,
  tidy,
} from '@tensorflow/tfjs-core';
import type {Normalized} from '../kernels/packing.js';
import {applyAfter, type NormOptions, prepareNorm} from './norm_options.js';
import {normalizeFeatures} from './feature_norm.js';

/** Options of {@link batchNorm}. */
export type BatchNormOptions = NormOptions;

/**
 * Batch normalization of a tensor with its own statistics:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a biased variance for each position on the feature axes, over
 * all the others. A function without state; the layer `BatchNorm` adds weights
 * and moving statistics. Differentiable to any order in x, gamma and beta, also
 * through the mean and the variance it returns.
 *
 * Shape: y has x's; mean and variance have the feature axes'.
 *
 * ```js
 * const {y, mean} = ops.batchNorm(tf.tensor2d([[1, 10], [3, 30]]));
 * mean.print();  // [2, 20]
 * ```
 *
 * @param x A tensor of rank 1 or more; computed in float32.
 * @param options `axis` (-1): the feature axes. `epsilon` (1e-3), `gamma` (ones)
 *   and `beta` (zeros), in the shape of the feature axes, or with the batch
 *   before it to vary by example.
 * @throws Error if an axis is out of range or given twice, if epsilon is not
 *   above 0, or if gamma or beta has another shape.
 *
 * Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167, algorithm 1.
 */
export function batchNorm(
  x: Tensor | TensorLike,
  options: BatchNormOptions = {},
): Normalized {
  return tidy(() => {
    const {input, axes, epsilon, inKernel, after} = prepareNorm(
      x,
      options,
      'ops.batchNorm',
    );
    const {y, mean, variance} = normalizeFeatures(input, {
      axes,
      epsilon,
      ...inKernel,
      statistics: true,
    });
    const features = axes.map((axis) => input.shape[axis] ?? 1);
    return {
      y: applyAfter(y, after),
      mean: reshape(mean, features),
      variance: reshape(variance, features),
    };
  });
}
