import {type Tensor, type TensorLike, tidy} from '@tensorflow/tfjs-core';
import {normalizeExamples} from './example_norm.js';
import {applyAfter, type NormOptions, prepareNorm} from './norm_options.js';

/** Options of {@link rmsNorm}. */
export type RmsNormOptions = NormOptions;

/**
 * Normalization of a tensor by its root mean square:
 *
 * `y = x / sqrt(mean(x²) + epsilon) · gamma + beta`
 *
 * over the given axes, for each position on all the others. Differentiable to any order
 * in x, gamma and beta.
 *
 * Shape: y has x's.
 *
 * ```js
 * ops.rmsNorm(tf.tensor2d([[1, 7], [-3, 3]]), {epsilon: 1e-9}).print();
 * // [[0.2, 1.4], [-1, 1]]
 * ```
 *
 * @param x A tensor of rank 1 or more; computed in float32.
 * @param options `axis` (-1): the axes that are normalized. `epsilon` (1e-6), `gamma`
 *   (ones) and `beta` (zeros), in the shape of these axes, or with the batch before it to
 *   vary by example.
 * @throws Error if an axis is out of range or given twice, if epsilon is not
 *   above 0, or if gamma or beta has another shape.
 *
 * @see Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467, section 4.
 */
export function rmsNorm(
  x: Tensor | TensorLike,
  options: RmsNormOptions = {},
): Tensor {
  return tidy(() => {
    const {input, axes, epsilon, inKernel, after} = prepareNorm(
      x,
      options,
      'ops.rmsNorm',
      [],
      1e-6,
    );
    const y = normalizeExamples(input, {
      axes,
      epsilon,
      subtractMean: false,
      ...inKernel,
    });
    return applyAfter(y, after);
  });
}
