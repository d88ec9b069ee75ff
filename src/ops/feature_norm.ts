import type {Tensor} from '@tensorflow/tfjs-core';
import {valuesPerStatistic} from '../kernels/kernels.js';
import type {Parameters} from '../kernels/packing.js';
import {featuresLayout} from './layout.js';
import {alignMask, blankMasked, maskedStatistics} from './masked.js';
import type {Statistics} from './moving_statistics.js';
import {applyStatistics, normalize} from './normalize.js';

/** Options of {@link normalizeFeatures} and {@link normalizeFeaturesWith}. */
export interface FeatureNormOptions extends Parameters {
  /** The feature axes: not negative, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  /** What of x counts; its shape a proper prefix of x's. */
  readonly mask?: Tensor | undefined;
  /** Whether gradients flow through the statistics returned. */
  readonly statistics?: boolean | undefined;
}

/** x normalized, and the statistics that did it, one of each per feature. */
export interface FeatureNormalized extends Statistics {
  readonly y: Tensor;
  /** How many values a statistic is of; under a mask only the device knows. */
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
  const blanked = blankMasked(x, aligned);
  const {mean, variance, count} = maskedStatistics(blanked, aligned, axes);
  const y = applyStatistics(blanked, mean, variance, layout, options);
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
  const covered = mask !== undefined && x.size > 0;
  const input = covered ? blankMasked(x, alignMask(mask, x)) : x;
  return applyStatistics(input, mean, variance, layout, options);
}
