import {
  add,
  clipByValue,
  customGrad,
  div,
  maximum,
  minimum,
  mul,
  relu,
  reshape,
  sqrt,
  square,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {
  type FeatureNormalized,
  type FeatureNormOptions,
  normalizeFeatures,
} from './feature_norm.js';
import {scaleAndShift} from './normalize.js';

/** Bounds of batch renormalization; one that is absent or null is none. */
export interface RenormClipping {
  /** The smallest r. */
  readonly rmin?: number | null;
  /** The largest r. */
  readonly rmax?: number | null;
  /** The largest d, of either sign. */
  readonly dmax?: number | null;
}

/** Statistics that batch renormalization corrects towards, a value per feature. */
export interface RenormReference {
  readonly mean: Tensor;
  readonly stddev: Tensor;
}

/**
 * Batch renormalization (Ioffe, 2017, algorithm 1): x normalized with its own statistics,
 * then `y = (x̂ · r + d) · gamma + beta` with
 * `r = sqrt(variance + epsilon) / stddev` and `d = (mean − reference mean) / stddev`,
 * clipped. r and d are constants to the gradient.
 */
export function renormalizeFeatures(
  x: Tensor,
  parameters: FeatureNormOptions,
  reference: RenormReference,
  {rmin, rmax, dmax}: RenormClipping,
): FeatureNormalized {
  // tf.js's sums take no empty tensor on GPUs.
  if (x.size === 0) return normalizeFeatures(x, parameters);
  const {gamma, beta, ...options} = parameters;
  const {axes, epsilon} = options;
  const normalized = normalizeFeatures(x, options);
  const {shape} = reference.mean;
  // Keras's guard against a division by zero at the start.
  const stddev = maximum(reference.stddev, Math.sqrt(epsilon));
  const r = constant(() => {
    const batch = stddevOf(reshape(normalized.variance, shape), epsilon);
    const above = maximum(div(batch, stddev), rmin ?? 0);
    return rmax == null ? above : minimum(above, rmax);
  });
  const d = constant(() => {
    const gap = sub(reshape(normalized.mean, shape), reference.mean);
    const all = div(gap, stddev);
    return dmax == null ? all : clipByValue(all, -dmax, dmax);
  });
  const shift = gamma ? mul(d, gamma) : d;
  const corrected = {
    gamma: gamma ? mul(r, gamma) : r,
    beta: beta ? add(shift, beta) : shift,
  };
  return {...normalized, y: scaleAndShift(normalized.y, corrected, axes)};
}

/** The deviation that batch renormalization averages: `sqrt(variance + epsilon)`. */
export function stddevOf(variance: Tensor, epsilon: number): Tensor {
  return sqrt(add(variance, epsilon));
}

/** The variance of such a deviation, not below 0. */
export function varianceOf(stddev: Tensor, epsilon: number): Tensor {
  return relu(sub(square(stddev), epsilon));
}

/** The result of a function, without a gradient. */
function constant(f: () => Tensor): Tensor {
  return customGrad(() => ({value: f(), gradFunc: () => []}))();
}
