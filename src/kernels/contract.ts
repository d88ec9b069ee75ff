/**
 * The contract between ops and backends: what the four kernels are called, what
 * they take and what they give. A backend that registers all four under these
 * names is a backend of this package; where one is missing, `composed.ts` steps in.
 */

/**
 * A tensor read, without copying, as row-major `[batch, outer, group, channel,
 * inner]`. Statistics are kept per `(batch, group)` and reduced over `(outer,
 * channel, inner)`; gamma and beta are indexed by `(group, channel)`.
 */
export interface View {
  readonly batch: number;
  readonly outer: number;
  readonly group: number;
  readonly channel: number;
  readonly inner: number;
}

/** How many values each statistic of a view is computed from. */
export function valuesPerStatistic(view: View): number {
  return view.outer * view.channel * view.inner;
}

/** How many means (and as many variances) a view has. */
export function statisticsCount(view: View): number {
  return view.batch * view.group;
}

/** How many values gamma, and beta, of a view have. */
export function parametersCount(view: View): number {
  return view.group * view.channel;
}

/** How many values a tensor of this view has. */
export function viewSize(view: View): number {
  return statisticsCount(view) * valuesPerStatistic(view);
}

/**
 * `[x, gamma?, beta?] → [y, mean, variance, ...kept]`, with
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`.
 *
 * The variance is biased. y has x's shape; mean and variance have
 * `batch · group` values, in a shape of the kernel's choosing. Not centred, mean
 * is zeros and variance the mean of the squares. `kept` is what the kernel would have
 * its gradient know: up to two tensors, where one is recorded, and none as a rule.
 */
export const NORMALIZE = 'TfjsNormalization/Normalize';

/**
 * `[dy, dmean?, dvariance?, x, mean, variance, gamma?, ...kept] → [dx, dgamma?, dbeta?]`:
 * the gradient of Normalize or, where the statistics are `given`, of
 * ApplyStatistics in x, gamma and beta. dgamma and dbeta have `group · channel`
 * values, in a shape of the kernel's choosing.
 */
export const NORMALIZE_GRAD = 'TfjsNormalization/NormalizeGrad';

/** `[x, mean, variance, gamma?, beta?] → y`: Normalize with known statistics. */
export const APPLY_STATISTICS = 'TfjsNormalization/ApplyStatistics';

/**
 * `{movingMean, movingVariance, mean, variance, rate} → [movingMean,
 * movingVariance]`, each `old · (1 − rate) + new · rate`. A channel whose new mean or
 * variance is not finite keeps both old values. `rate` is a scalar.
 */
export const MOVING_STATISTICS = 'TfjsNormalization/MovingStatistics';

/**
 * `[x] → another tensor with the same values`, without a copy of them: what a gradient
 * keeps. tfjs's own clone copies on wasm.
 */
export const HOLD = 'TfjsNormalization/Hold';

/** Attributes of Normalize and ApplyStatistics. */
export interface NormalizeAttributes {
  readonly view: View;
  /** Added to the variance before its root is taken. */
  readonly epsilon: number;
  /** Whether the mean is subtracted; without it this is RMS normalization. */
  readonly centered: boolean;
  /** Whether the inputs carry a gamma. */
  readonly scale: boolean;
  /** Whether the inputs carry a beta. */
  readonly center: boolean;
  /**
   * Whether gradients flow through the mean and the variance that Normalize
   * returns. Layers only watch them, and a backend saves itself the work.
   */
  readonly statistics: boolean;
  /** Whether a gradient may be asked for. Without it nothing is kept. */
  readonly recorded?: boolean | undefined;
}

/** Attributes of NormalizeGrad. */
export interface NormalizeGradAttributes extends NormalizeAttributes {
  /** The mean and variance are constants, not functions of x. */
  readonly given: boolean;
}
