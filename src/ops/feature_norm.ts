import type {Tensor} from '@tensorflow/tfjs-core';
import {type Parameters, valuesPerStatistic} from '../kernels/contract.js';
import {featuresLayout} from './layout.js';
import {
  alignMask,
  blankMasked,
  blankMaskedNonFinite,
  maskedStatistics,
} from './masked.js';
import type {Statistics} from './moving_statistics.js';
import {applyStatistics, normalize} from './normalize.js';

/** Options of {@link normalizeFeatures} and {@link normalizeFeaturesWith}. */
export interface FeatureNormOptions extends Parameters {
  /** The feature axes: not negative, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  /**
   * Which positions of x count, in a shape that fits x's first axes. The others are
   * left out of the statistics, and normalized all the same; those that are not finite
   * count as 0.
   */
  readonly mask?: Tensor | undefined;
  /** If true, gradients flow through the statistics returned. */
  readonly differentiableStatistics?: boolean | undefined;
}

/** x normalized, and the statistics that did it, one of each per feature. */
export interface FeatureNormalized extends Statistics {
  readonly y: Tensor;
  /** The number of values in a statistic; under a mask only the device knows it. */
  readonly count: number | Tensor;
}

/** Batch normalization with the statistics of x itself. */
export function normalizeFeatures(
  x: Tensor,
  options: FeatureNormOptions,
): FeatureNormalized {
  const {axes, mask} = options;
  const layout = featuresLayout(x.shape, axes);
  if (mask === undefined || x.size === 0) {
    const count = valuesPerStatistic(layout.view);
    return {...normalize(x, layout, options), count};
  }
  const aligned = alignMask(mask, x);
  const input = blankMaskedNonFinite(x, aligned);
  const {mean, variance, count} = maskedStatistics(
    blankMasked(input, aligned),
    aligned,
    axes,
  );
  const y = applyStatistics(input, mean, variance, layout, options);
  return {y, mean, variance, count};
}

/** Batch normalization with statistics that are known. */
export function normalizeFeaturesWith(
  x: Tensor,
  {mean, variance}: Statistics,
  options: FeatureNormOptions,
): Tensor {
  const {axes, mask} = options;
  const layout = featuresLayout(x.shape, axes);
  const isMasked = mask !== undefined && x.size > 0;
  const input = isMasked ? blankMaskedNonFinite(x, alignMask(mask, x)) : x;
  return applyStatistics(input, mean, variance, layout, options);
}
