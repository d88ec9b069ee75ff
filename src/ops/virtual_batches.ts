import {
  add,
  concat,
  mean,
  mul,
  type Rank,
  reshape,
  split,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {valuesPerStatistic} from '../kernels/contract.js';
import type {FeatureNormalized, FeatureNormOptions} from './feature_norm.js';
import {featuresLayout} from './layout.js';
import {unbiasedVariance} from './moving_statistics.js';
import {normalize} from './normalize.js';

/** Options of {@link normalizeVirtualBatches}. */
export interface VirtualBatchOptions {
  /** The number of examples in a virtual batch. */
  readonly size: number;
  /** If true, the variances returned are unbiased, each by its own count. */
  readonly unbiased: boolean;
}

/**
 * Batch normalization of consecutive parts of a batch, each with its own statistics
 * (Hoffer et al., 2017, algorithm 1). The last part is smaller where the size does not
 * divide the batch.
 *
 * Returns the means and variances averaged over the parts, weighted by their size; those
 * of one value have no variance. `count` is that of the largest part.
 *
 * @param x A tensor whose first axis is not a feature axis.
 */
export function normalizeVirtualBatches(
  x: Tensor,
  options: FeatureNormOptions,
  {size, unbiased}: VirtualBatchOptions,
): FeatureNormalized {
  const [examples = 0, ...lengths] = x.shape;
  const rest = examples % size;
  const whole = examples - rest;
  const run = (part: Tensor, parts: number): FeatureNormalized =>
    normalizeParts(part, options, parts, unbiased);
  if (examples <= size) return run(x, 1);
  if (rest === 0) return run(x, whole / size);
  // Of two axes, for which every backend has all of these and their gradients.
  const flat = reshape<Rank.R2>(x, [examples, -1]);
  const [first, last] = split(flat, [whole, rest]) as [Tensor, Tensor];
  const a = run(reshape(first, [whole, ...lengths]), whole / size);
  const b = run(reshape(last, [rest, ...lengths]), 1);
  const share = rest / examples;
  const y = concat([reshape(a.y, first.shape), reshape(b.y, last.shape)]);
  return {
    y: reshape(y, x.shape),
    mean: average(a.mean, b.mean, share),
    variance: average(a.variance, b.variance, b.count === 1 ? 0 : share),
    count: a.count,
  };
}

/** Normalizes equal parts of x, each by itself. */
function normalizeParts(
  x: Tensor,
  options: FeatureNormOptions,
  parts: number,
  unbiased: boolean,
): FeatureNormalized {
  const {view, permutation} = featuresLayout(x.shape, options.axes);
  // The first axis of x is the first of `outer`, whatever the permutation.
  const ofParts = {...view, batch: parts, outer: view.outer / parts};
  const {y, ...each} = normalize(x, {view: ofParts, permutation}, options);
  const count = valuesPerStatistic(ofParts);
  const statistics = unbiased ? unbiasedVariance(each, count) : each;
  const overParts = (values: Tensor): Tensor =>
    mean(reshape(values, [parts, view.group]), 0);
  return {
    y,
    mean: overParts(statistics.mean),
    variance: overParts(statistics.variance),
    count,
  };
}

function average(a: Tensor, b: Tensor, share: number): Tensor {
  return add(mul(a, 1 - share), mul(b, share));
}
