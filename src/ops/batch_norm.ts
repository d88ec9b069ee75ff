import {reshape, Tensor, type TensorLike, tidy} from '@tensorflow/tfjs-core';
import type {Normalized} from '../kernels/contract.js';
import {applyAfter, type NormOptions, prepareNorm} from './norm_options.js';
import {normalizeFeatures, normalizeFeaturesWith} from './feature_norm.js';
import {maskFits} from './masked.js';
import type {Statistics} from './moving_statistics.js';
import {refusal} from '../util/received.js';
import {toFloat} from './to_float.js';

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** Known means, in the shape of the feature axes. Defaults to those of x. */
  readonly mean?: Tensor | undefined;
  /** Known variances, which go with the means. Defaults to those of x. */
  readonly variance?: Tensor | undefined;
  /** The positions of x that are in its statistics. Defaults to all. */
  readonly mask?: Tensor | undefined;
}

const WHO = 'ops.batchNorm';

/**
 * Batch normalization of a tensor, with its own statistics or with known ones:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a biased variance for each position on the feature axes, over
 * all the others. A function without state; the layer `BatchNorm` adds weights
 * and moving statistics. Differentiable to any order in x, gamma, beta and known
 * statistics, also through the mean and the variance it returns.
 *
 * Shape: y has x's; mean and variance have the feature axes'.
 *
 * ```js
 * const {y, mean} = ops.batchNorm(tf.tensor2d([[1, 10], [3, 30]]));
 * mean.print();  // [2, 20]
 * const known = {mean: tf.tensor1d([0, 0]), variance: tf.tensor1d([1, 100])};
 * ops.batchNorm(tf.tensor2d([[1, 10], [3, 30]]), known).y.print();
 * ```
 *
 * @param x A tensor of rank 1 or more; computed in float32.
 * @param options `axis` (-1): the feature axes. `epsilon` (1e-3), `gamma` (ones)
 *   and `beta` (zeros), in the shape of the feature axes, or with the batch
 *   before it to vary by example. `mean` and `variance` (x's own): known statistics,
 *   in the shape of the feature axes. `mask` (none): the positions that count, in the
 *   shape of x's first axes or with lengths of 1; the others are in no statistic, and
 *   normalized all the same, NaN among them as 0.
 * @throws Error if an axis is out of range or given twice, if epsilon is not
 *   above 0, if gamma, beta, a statistic or the mask has another shape, or if only one
 *   of the statistics is given.
 *
 * @see Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167, algorithms 1 and 2.
 */
export function batchNorm(
  x: Tensor | TensorLike,
  options: BatchNormOptions = {},
): Normalized {
  return tidy(() => {
    const {input, axes, epsilon, inKernel, after} = prepareNorm(
      x,
      options,
      WHO,
      ['mean', 'variance', 'mask'],
    );
    const features = axes.map((axis) => input.shape[axis] ?? 1);
    const known = knownStatistics(options, features);
    const mask = checkedMask(options.mask, input);
    const settings = {axes, epsilon, ...inKernel, mask};
    const {y, mean, variance} = known
      ? {...known, y: normalizeFeaturesWith(input, known, settings)}
      : normalizeFeatures(input, {...settings, differentiableStatistics: true});
    return {
      y: applyAfter(y, after),
      mean: reshape(mean, features),
      variance: reshape(variance, features),
    };
  });
}

function knownStatistics(
  {mean, variance}: BatchNormOptions,
  features: readonly number[],
): Statistics | undefined {
  if (mean == null && variance == null) return undefined;
  const checked = (name: string, tensor: Tensor | undefined): Tensor => {
    const isFitting =
      tensor instanceof Tensor &&
      tensor.shape.length === features.length &&
      tensor.shape.every((length, i) => length === features[i]);
    if (isFitting) return toFloat(tensor);
    throw refusal(
      WHO,
      'mean and variance go together, as tensors in the shape of the feature ' +
        `axes, [${features.join()}]`,
      name,
      tensor instanceof Tensor ? tensor.shape : tensor,
    );
  };
  return {
    mean: checked('mean', mean),
    variance: checked('variance', variance),
  };
}

function checkedMask(mask: Tensor | undefined, x: Tensor): Tensor | undefined {
  if (mask == null) return undefined;
  if (mask instanceof Tensor && maskFits(mask, x)) return mask;
  throw refusal(
    WHO,
    `mask must be a tensor of fewer axes than x, as long as x's first ones, ` +
      `[${x.shape.join()}], or of length 1`,
    'mask',
    mask instanceof Tensor ? mask.shape : mask,
  );
}
