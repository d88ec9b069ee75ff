import {type Tensor, type TensorLike, tidy} from '@tensorflow/tfjs-core';
import {normalizeExamples} from './example_norm.js';
import {applyAfter, type NormOptions, prepareNorm} from './norm_options.js';

/** Options of {@link layerNorm}. */
export type LayerNormOptions = NormOptions;

/**
 * Layer normalization of a tensor:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a biased variance over the given axes, for each position on
 * all the others: every example by itself. Differentiable to any order in x,
 * gamma and beta.
 *
 * Shape: y has x's.
 *
 * ```js
 * ops.layerNorm(tf.tensor2d([[1, 2, 3], [10, 20, 30]]), {epsilon: 1e-9}).print();
 * // [[-1.2247, 0, 1.2247], [-1.2247, 0, 1.2247]]
 * ```
 *
 * @param x A tensor of rank 1 or more; computed in float32.
 * @param options `axis` (-1): the axes that are normalized. `epsilon` (1e-3),
 *   `gamma` (ones) and `beta` (zeros), in the shape of these axes, or with the
 *   batch before it to vary by example.
 * @throws Error if an axis is out of range or given twice, if epsilon is not
 *   above 0, or if gamma or beta has another shape.
 *
 * @see Ba, Kiros and Hinton, 2016, https://arxiv.org/abs/1607.06450, section 3.
 */
export function layerNorm(
  x: Tensor | TensorLike,
  options: LayerNormOptions = {},
): Tensor {
  return tidy(() => {
    const {input, axes, epsilon, inKernel, after} = prepareNorm(
      x,
      options,
      'ops.layerNorm',
    );
    const y = normalizeExamples(input, {axes, epsilon, ...inKernel});
    return applyAfter(y, after);
  });
}
