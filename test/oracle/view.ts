import {
  type View,
  parametersCount,
  statisticsCount,
  valuesPerStatistic,
} from '../../src/kernels/contract.js';
import {at} from './at.js';
import {Sums} from './sums.js';

/*
 * The kernels in float64, over the five-axis view [batch, outer, group,
 * channel, inner]: the papers' formulas, in two passes, without tensors or
 * optimizations.
 */

type Numbers = ArrayLike<number>;

/** A mean and a variance for each `(batch, group)`. */
export interface Statistics {
  readonly mean: Numbers;
  readonly variance: Numbers;
}

/**
 * Options of {@link normalize}, {@link applyStatistics} and their gradients.
 */
export interface ViewOptions {
  readonly epsilon: number;
  /** If true, the mean is subtracted. Defaults to true. */
  readonly subtractMean?: boolean;
  /** A value for each `(group, channel)`. Defaults to ones. */
  readonly gamma?: Numbers;
  /** A value for each `(group, channel)`. Defaults to zeros. */
  readonly beta?: Numbers;
}

/** Upstream gradients of {@link normalize}. */
export interface Upstream {
  readonly dy: Numbers;
  /** Defaults to zeros, like dvariance. */
  readonly dmean?: Numbers;
  readonly dvariance?: Numbers;
}

/** Options of {@link normalizeGrad}. */
export interface GradOptions extends Omit<ViewOptions, 'beta'> {
  /** Statistics that are constants instead of functions of x. */
  readonly given?: Statistics;
}

/**
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`, with the mean and
 * the biased variance of x; not centered, with 0 and the mean of the squares.
 */
export function normalize(
  x: Numbers,
  view: View,
  options: ViewOptions,
): {y: Float64Array; mean: Float64Array; variance: Float64Array} {
  const {mean, variance} = statisticsOf(x, view, options.subtractMean ?? true);
  return {
    y: applyStatistics(x, {mean, variance}, view, options),
    mean,
    variance,
  };
}

/** Does the same with given statistics. */
export function applyStatistics(
  x: Numbers,
  statistics: Statistics,
  view: View,
  {gamma, beta, ...options}: ViewOptions,
): Float64Array {
  const normalized = normalizedBy(statistics, options);
  const y = new Float64Array(x.length);
  forEachValue(view, (i, s, p) => {
    const scale = gamma ? at(gamma, p) : 1;
    y[i] = normalized(at(x, i), s) * scale + (beta ? at(beta, p) : 0);
  });
  return y;
}

/**
 * Returns the gradients by the chain rule, as Ioffe and Szegedy give them
 * (2015, section 3): of y in the variance and in the mean, and of these in x.
 */
export function normalizeGrad(
  {dy, dmean, dvariance}: Upstream,
  x: Numbers,
  view: View,
  {gamma, given, epsilon, subtractMean = true}: GradOptions,
): {dx: Float64Array; dgamma: Float64Array; dbeta: Float64Array} {
  const statistics = given ?? statisticsOf(x, view, subtractMean);
  const options = {epsilon, subtractMean};
  const parameters = parameterGrad(dy, x, statistics, view, options);
  const direct = directGrad(dy, statistics, view, {gamma, ...options});
  if (given) return {dx: direct, ...parameters};

  const count = valuesPerStatistic(view);
  const through = statisticsGrad(dy, x, statistics, view, {gamma, ...options});
  const dx = new Float64Array(x.length);
  forEachValue(view, (i, s) => {
    const mean = subtractMean ? at(statistics.mean, s) : 0;
    const toVariance =
      at(through.dvariance, s) + (dvariance ? at(dvariance, s) : 0);
    const toMean = at(through.dmean, s) + (dmean ? at(dmean, s) : 0);
    // The variance depends on the mean too, through Σ (x − mean), which is
    // zero.
    dx[i] =
      at(direct, i) +
      (toVariance * 2 * (at(x, i) - mean)) / count +
      (subtractMean ? toMean / count : 0);
  });
  return {dx, ...parameters};
}

/**
 * Returns the gradients of {@link applyStatistics} in its mean and its
 * variance.
 */
export function statisticsGrad(
  dy: Numbers,
  x: Numbers,
  statistics: Statistics,
  view: View,
  {gamma, epsilon, subtractMean = true}: Omit<GradOptions, 'given'>,
): {dmean: Float64Array; dvariance: Float64Array} {
  const dmean = new Sums(statisticsCount(view));
  const dvariance = new Sums(statisticsCount(view));
  forEachValue(view, (i, s, p) => {
    const flow = at(dy, i) * (gamma ? at(gamma, p) : 1);
    const mean = subtractMean ? at(statistics.mean, s) : 0;
    const spread = at(statistics.variance, s) + epsilon;
    if (subtractMean) dmean.add(s, -flow / Math.sqrt(spread));
    dvariance.add(s, (-flow * (at(x, i) - mean)) / (2 * spread ** 1.5));
  });
  return {dmean: dmean.values(), dvariance: dvariance.values()};
}

function statisticsOf(
  x: Numbers,
  view: View,
  subtractMean: boolean,
): {mean: Float64Array; variance: Float64Array} {
  const count = Math.max(valuesPerStatistic(view), 1);
  const sums = new Sums(statisticsCount(view));
  if (subtractMean) forEachValue(view, (i, s) => sums.add(s, at(x, i)));
  const mean = sums.values().map((sum) => sum / count);
  const squares = new Sums(statisticsCount(view));
  forEachValue(view, (i, s) => squares.add(s, (at(x, i) - at(mean, s)) ** 2));
  return {mean, variance: squares.values().map((sum) => sum / count)};
}

function normalizedBy(
  {mean, variance}: Statistics,
  {epsilon, subtractMean = true}: ViewOptions,
): (value: number, statistic: number) => number {
  return (value, s) =>
    (value - (subtractMean ? at(mean, s) : 0)) /
    Math.sqrt(at(variance, s) + epsilon);
}

function parameterGrad(
  dy: Numbers,
  x: Numbers,
  statistics: Statistics,
  view: View,
  options: ViewOptions,
): {dgamma: Float64Array; dbeta: Float64Array} {
  const normalized = normalizedBy(statistics, options);
  const dgamma = new Sums(parametersCount(view));
  const dbeta = new Sums(parametersCount(view));
  forEachValue(view, (i, s, p) => {
    dgamma.add(p, at(dy, i) * normalized(at(x, i), s));
    dbeta.add(p, at(dy, i));
  });
  return {dgamma: dgamma.values(), dbeta: dbeta.values()};
}

/** Returns the gradient in x with constant statistics. */
function directGrad(
  dy: Numbers,
  {variance}: Statistics,
  view: View,
  {gamma, epsilon}: ViewOptions,
): Float64Array {
  const dx = new Float64Array(dy.length);
  forEachValue(view, (i, s, p) => {
    const flow = at(dy, i) * (gamma ? at(gamma, p) : 1);
    dx[i] = flow / Math.sqrt(at(variance, s) + epsilon);
  });
  return dx;
}

/**
 * Visits every value, with the indices of the value, its statistic and its
 * parameter.
 */
function forEachValue(
  {batch, outer, group, channel, inner, perOuter = false}: View,
  visit: (index: number, statistic: number, parameter: number) => void,
): void {
  let index = 0;
  for (let b = 0; b < batch; b++)
    for (let o = 0; o < outer; o++)
      for (let g = 0; g < group; g++)
        for (let c = 0; c < channel; c++)
          for (let i = 0; i < inner; i++)
            visit(index++, b * group + g, perOuter ? o : g * channel + c);
}
