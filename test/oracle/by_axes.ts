import {at} from './at.js';
import {sumOf} from './sums.js';

/*
 * Batch and layer normalization in float64 over any shape and axes, straight
 * from their definitions and without the five-axis view, so that it checks the
 * layouts too. The gradient sums over the whole Jacobian.
 */

type Numbers = ArrayLike<number>;

/** Options of both normalizations. */
export interface ByAxesOptions {
  /**
   * The feature axes, or the normalized axes; negative ones count from the end.
   */
  readonly axis: number | readonly number[];
  readonly epsilon: number;
  /** In the shape of these axes in ascending order. Defaults to ones. */
  readonly gamma?: Numbers;
  /** In the shape of these axes in ascending order. Defaults to zeros. */
  readonly beta?: Numbers;
}

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends ByAxesOptions {
  /** Known statistics, a value per feature. Defaults to those of x. */
  readonly given?: {readonly mean: Numbers; readonly variance: Numbers};
  /**
   * The values that count, over x's first axes; an axis of length 1 is
   * broadcast. Defaults to all.
   */
  readonly mask?: {
    readonly values: ArrayLike<number | boolean>;
    readonly shape: readonly number[];
  };
}

/**
 * Upstream gradients; dmean and dvariance, of the statistics, default to zeros.
 */
export interface Upstream {
  readonly dy: Numbers;
  readonly dmean?: Numbers;
  readonly dvariance?: Numbers;
}

/** x normalized, with the statistics used. */
export interface Normalized {
  readonly y: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** The number of values of each statistic. */
  readonly count: Float64Array;
}

export interface Gradients {
  readonly dx: Float64Array;
  readonly dgamma: Float64Array;
  readonly dbeta: Float64Array;
}

/**
 * Each position on the feature axes has its own statistics, and its own gamma
 * and beta. Masked values are in no statistic, but are normalized too, as 0 if
 * not finite.
 */
export function batchNorm(
  x: Numbers,
  shape: readonly number[],
  options: BatchNormOptions,
): Normalized {
  return forward(x, batchNormPlaces(x, shape, options), options);
}

/** Returns the gradients of {@link batchNorm}. */
export function batchNormGrad(
  upstream: Upstream,
  x: Numbers,
  shape: readonly number[],
  options: BatchNormOptions,
): Gradients {
  return backward(upstream, x, batchNormPlaces(x, shape, options), options);
}

/**
 * Each position on the other axes has its own statistics, and each position on
 * the normalized axes its own gamma and beta.
 */
export function layerNorm(
  x: Numbers,
  shape: readonly number[],
  options: ByAxesOptions,
): Normalized {
  return forward(x, layerNormPlaces(x, shape, options), options);
}

/** Returns the gradients of {@link layerNorm}. */
export function layerNormGrad(
  upstream: Upstream,
  x: Numbers,
  shape: readonly number[],
  options: ByAxesOptions,
): Gradients {
  return backward(upstream, x, layerNormPlaces(x, shape, options), options);
}

/** The statistic and the parameter of each value. */
interface Places {
  readonly list: readonly Place[];
  readonly statisticCount: number;
  readonly parameterCount: number;
}

/** The relevant parts of a value's place in the tensor. */
interface Place {
  readonly statistic: number;
  readonly parameter: number;
  /** If false, a mask leaves it out. */
  readonly present: boolean;
}

function batchNormPlaces(
  x: Numbers,
  shape: readonly number[],
  {axis, mask}: BatchNormOptions,
): Places {
  const features = resolved(axis, shape);
  const list = Array.from({length: x.length}, (_, flat) => {
    const index = indexOf(flat, shape);
    const feature = flatIndex(index, features, shape);
    const present = mask
      ? Boolean(at(mask.values, maskIndex(index, mask.shape)))
      : true;
    return {statistic: feature, parameter: feature, present};
  });
  const count = sizeOf(features, shape);
  return {list, statisticCount: count, parameterCount: count};
}

function layerNormPlaces(
  x: Numbers,
  shape: readonly number[],
  {axis}: ByAxesOptions,
): Places {
  const axes = resolved(axis, shape);
  const others = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const list = Array.from({length: x.length}, (_, flat) => {
    const index = indexOf(flat, shape);
    return {
      statistic: flatIndex(index, others, shape),
      parameter: flatIndex(index, axes, shape),
      present: true,
    };
  });
  return {
    list,
    statisticCount: sizeOf(others, shape),
    parameterCount: sizeOf(axes, shape),
  };
}

function forward(
  x: Numbers,
  {list, statisticCount}: Places,
  {epsilon, gamma, beta, given}: BatchNormOptions,
): Normalized {
  const groups = groupsOf(list, 'statistic', statisticCount);
  const counted = groups.map((group) =>
    group.filter((i) => at(list, i).present),
  );
  const mean =
    given?.mean ?? counted.map((group) => meanOf(group.map((i) => at(x, i))));
  const variance =
    given?.variance ??
    counted.map((group, s) =>
      meanOf(group.map((i) => (at(x, i) - at(mean, s)) ** 2)),
    );
  const y = list.map(({statistic, parameter, present}, i) => {
    const value = present || Number.isFinite(at(x, i)) ? at(x, i) : 0;
    const deviation = Math.sqrt(at(variance, statistic) + epsilon);
    const normalized = (value - at(mean, statistic)) / deviation;
    const scaled = normalized * (gamma ? at(gamma, parameter) : 1);
    return scaled + (beta ? at(beta, parameter) : 0);
  });
  return {
    y: Float64Array.from(y),
    mean: Float64Array.from(mean),
    variance: Float64Array.from(variance),
    count: Float64Array.from(counted, (group) => group.length),
  };
}

/**
 * `dx_j = Σ_i dy_i ∂y_i/∂x_j`, over all pairs of values with a common
 * statistic: `∂y_i/∂x_j = gamma_i (δ_ij − 1/n − x̂_i x̂_j / n) / σ`. A masked
 * x_j is in no statistic, which leaves δ_ij; if not finite, it is replaced by
 * 0.
 */
function backward(
  {dy, dmean, dvariance}: Upstream,
  x: Numbers,
  places: Places,
  options: BatchNormOptions,
): Gradients {
  const {gamma, given, epsilon} = options;
  const plain = {...options, gamma: undefined, beta: undefined};
  const {y: normalized, variance, count} = forward(x, places, plain);
  const {list, statisticCount, parameterCount} = places;
  const flow = list.map(
    ({parameter}, i) => at(dy, i) * (gamma ? at(gamma, parameter) : 1),
  );
  const dx = new Float64Array(x.length);
  groupsOf(list, 'statistic', statisticCount).forEach((group, s) => {
    const n = at(count, s);
    const deviation = Math.sqrt(at(variance, s) + epsilon);
    for (const j of group) {
      const {present} = at(list, j);
      if (!present && !Number.isFinite(at(x, j))) continue;
      const own = at(normalized, j);
      const counts = present && !given;
      const terms = group.map((i) => {
        const through = counts ? (1 + at(normalized, i) * own) / n : 0;
        return (at(flow, i) * ((i === j ? 1 : 0) - through)) / deviation;
      });
      if (present && dmean) terms.push(at(dmean, s) / n);
      if (present && dvariance) {
        terms.push((at(dvariance, s) * 2 * own * deviation) / n);
      }
      dx[j] = sumOf(terms);
    }
  });
  const groups = groupsOf(list, 'parameter', parameterCount);
  const sumOver = (term: (i: number) => number): Float64Array =>
    Float64Array.from(groups, (group) => sumOf(group.map(term)));
  return {
    dx,
    dgamma: sumOver((i) => at(dy, i) * at(normalized, i)),
    dbeta: sumOver((i) => at(dy, i)),
  };
}

/** Groups the values by statistic, or by parameter. */
function groupsOf(
  list: readonly Place[],
  key: 'statistic' | 'parameter',
  count: number,
): number[][] {
  const groups = Array.from({length: count}, (): number[] => []);
  list.forEach((place, i) => at(groups, place[key]).push(i));
  return groups;
}

function sizeOf(axes: readonly number[], shape: readonly number[]): number {
  return axes.reduce((size, axis) => size * at(shape, axis), 1);
}

function meanOf(values: number[]): number {
  return values.length === 0 ? 0 : sumOf(values) / values.length;
}

function resolved(
  axis: number | readonly number[],
  shape: readonly number[],
): number[] {
  return [axis]
    .flat()
    .map((a) => (a < 0 ? a + shape.length : a))
    .sort((a, b) => a - b);
}

/** Returns a value's index on each axis. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .map((_, i) => at(shape, shape.length - 1 - i))
    .map((length) => {
      const index = rest % length;
      rest = (rest - index) / length;
      return index;
    })
    .reverse();
}

/** Returns the flat index of a value in its mask. */
function maskIndex(index: readonly number[], shape: readonly number[]): number {
  return shape.reduce(
    (flat, length, axis) =>
      flat * length + (length === 1 ? 0 : at(index, axis)),
    0,
  );
}

/** Returns the flat index in a tensor that has only these axes. */
function flatIndex(
  index: readonly number[],
  axes: readonly number[],
  shape: readonly number[],
): number {
  return axes.reduce(
    (flat, axis) => flat * at(shape, axis) + at(index, axis),
    0,
  );
}
