import {at} from '../../../util/at.js';
import {
  type GradInputs,
  type Gradients,
  type MovingInputs,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type Normalized,
  type Parameters,
  type View,
  valuesPerStatistic,
} from '../../contract.js';

/*
 * The kernels as loops over arrays, in float64 inside: what the cpu backend computes
 * with where WebAssembly does not. Each walks through the data in its order, since
 * columns read one by one would miss the cache.
 */

type Values = Float32Array;
type Sums = Float64Array;

/** Sums of more terms than this are kept in float64 to the end. */
const FEW_TERMS = 64;

/** Normalize and, where the statistics are given, ApplyStatistics. */
export function normalize(
  {
    x,
    y,
    mean,
    variance,
    gamma,
    beta,
  }: {x: Values} & Normalized<Values> & Parameters<Values>,
  {
    view,
    epsilon,
    subtractMean,
    given,
  }: NormalizeAttributes & {readonly given: boolean},
): void {
  const {group} = view;
  for (let b = 0; b < view.batch; b++) {
    const first = b * group;
    const means = given
      ? readStatistics(mean, first, group)
      : meansOf(x, b, view, subtractMean);
    if (!subtractMean) means.fill(0);
    const variances = given
      ? readStatistics(variance, first, group)
      : variancesAround(means, x, b, view);
    if (!given) {
      mean.set(means, first);
      variance.set(variances, first);
    }
    const inverses = variances.map((v) => 1 / Math.sqrt(v + epsilon));
    forEachRun(view, b, (begin, g, p) => {
      const m = at(means, g);
      const scale = at(inverses, g) * (gamma ? at(gamma, p) : 1);
      const shift = beta ? at(beta, p) : 0;
      for (let i = begin; i < begin + view.inner; i++) {
        y[i] = (at(x, i) - m) * scale + shift;
      }
    });
  }
}

/** NormalizeGrad. */
export function normalizeGrad(
  inputs: GradInputs<Values> & Gradients<Values>,
  {view, epsilon, subtractMean, given}: NormalizeGradAttributes,
): void {
  const {dy, x, dx, mean, variance, gamma, dmean, dvariance} = inputs;
  const {batch, group, outer, inner} = view;
  const count = valuesPerStatistic(view);
  const terms = batch * outer * inner;
  const dgamma = sumsFor(inputs.dgamma, terms);
  const dbeta = sumsFor(inputs.dbeta, terms);
  for (let b = 0; b < batch; b++) {
    const first = b * group;
    const means = readStatistics(mean, first, group);
    if (!subtractMean) means.fill(0);
    const inverses = readStatistics(variance, first, group).map(
      (v) => 1 / Math.sqrt(v + epsilon),
    );
    const along = new Float64Array(group);
    const offset = new Float64Array(group);
    if (!given) {
      const {flow, product, rest} = flowOf(inputs, means, b, view);
      for (let g = 0; g < group; g++) {
        const inverse = at(inverses, g);
        // Rounding took this of the mean.
        const low = subtractMean ? at(rest, g) / count : 0;
        const aligned = at(product, g) - low * at(flow, g);
        const toVariance = dvariance ? 2 * at(dvariance, first + g) : 0;
        const toMean = dmean ? at(dmean, first + g) : 0;
        means[g] = at(means, g) + low;
        along[g] = (toVariance - inverse ** 3 * aligned) / count;
        offset[g] = subtractMean ? (toMean - inverse * at(flow, g)) / count : 0;
      }
    }
    forEachRun(view, b, (begin, g, p) => {
      const m = at(means, g);
      const inverse = at(inverses, g);
      const a = inverse * (gamma ? at(gamma, p) : 1);
      let toGamma = 0;
      let toBeta = 0;
      for (let i = begin; i < begin + inner; i++) {
        const flow = at(dy, i);
        const deviation = at(x, i) - m;
        toGamma += flow * deviation;
        toBeta += flow;
        dx[i] = given
          ? flow * a
          : flow * a + deviation * at(along, g) + at(offset, g);
      }
      if (dgamma) dgamma[p] = at(dgamma, p) + toGamma * inverse;
      if (dbeta) dbeta[p] = at(dbeta, p) + toBeta;
    });
  }
  if (dgamma) inputs.dgamma?.set(dgamma);
  if (dbeta) inputs.dbeta?.set(dbeta);
}

/** MovingStatistics. */
export function movingStatistics(
  {movingMean, movingVariance, mean, variance, rate}: MovingInputs<Values>,
  [nextMean, nextVariance]: [Values, Values],
): void {
  const weight = at(rate, 0);
  for (let i = 0; i < movingMean.length; i++) {
    const usable =
      Number.isFinite(at(mean, i)) && Number.isFinite(at(variance, i));
    const blend = (old: Values, value: Values): number =>
      usable ? at(old, i) * (1 - weight) + at(value, i) * weight : at(old, i);
    nextMean[i] = blend(movingMean, mean);
    nextVariance[i] = blend(movingVariance, variance);
  }
}

/** Visits runs of `inner` values: where they begin, their statistic, their parameter. */
function forEachRun(
  {outer, group, channel, inner}: View,
  b: number,
  visit: (begin: number, g: number, p: number) => void,
): void {
  let begin = b * outer * group * channel * inner;
  for (let o = 0; o < outer; o++) {
    let p = 0;
    for (let g = 0; g < group; g++) {
      for (let c = 0; c < channel; c++) {
        visit(begin, g, p);
        begin += inner;
        p += 1;
      }
    }
  }
}

/** Sums from one value of the data on: of a constant, exactly that constant. */
function meansOf(
  x: Values,
  b: number,
  view: View,
  subtractMean: boolean,
): Sums {
  const {outer, group, channel, inner} = view;
  const length = channel * inner;
  const sums = new Float64Array(group);
  if (!subtractMean) return sums;
  const first = b * outer * group * length;
  const originOf = (g: number): number => at(x, first + g * length);
  forEachRun(view, b, (begin, g) => {
    const origin = originOf(g);
    let sum = 0;
    for (let i = begin; i < begin + inner; i++) sum += at(x, i) - origin;
    sums[g] = at(sums, g) + sum;
  });
  const count = valuesPerStatistic(view);
  return sums.map((sum, g) => originOf(g) + sum / count);
}

function variancesAround(means: Sums, x: Values, b: number, view: View): Sums {
  const sums = new Float64Array(view.group);
  forEachRun(view, b, (begin, g) => {
    const m = at(means, g);
    let sum = 0;
    for (let i = begin; i < begin + view.inner; i++) sum += (at(x, i) - m) ** 2;
    sums[g] = at(sums, g) + sum;
  });
  const count = valuesPerStatistic(view);
  return sums.map((sum) => sum / count);
}

/** Σ g, Σ g · (x − mean) and Σ (x − mean) for each statistic, with g = dy · gamma. */
function flowOf(
  {dy, x, gamma}: GradInputs<Values>,
  means: Sums,
  b: number,
  view: View,
): {flow: Sums; product: Sums; rest: Sums} {
  const flow = new Float64Array(view.group);
  const product = new Float64Array(view.group);
  const rest = new Float64Array(view.group);
  forEachRun(view, b, (begin, g, p) => {
    const m = at(means, g);
    const scale = gamma ? at(gamma, p) : 1;
    let toFlow = 0;
    let toProduct = 0;
    let toRest = 0;
    for (let i = begin; i < begin + view.inner; i++) {
      const own = at(dy, i);
      const deviation = at(x, i) - m;
      toFlow += own;
      toProduct += own * deviation;
      toRest += deviation;
    }
    flow[g] = at(flow, g) + toFlow * scale;
    product[g] = at(product, g) + toProduct * scale;
    rest[g] = at(rest, g) + toRest;
  });
  return {flow, product, rest};
}

function sumsFor(
  home: Values | undefined,
  terms: number,
): Values | Sums | undefined {
  if (home === undefined) return undefined;
  return terms <= FEW_TERMS ? home : new Float64Array(home.length);
}

function readStatistics(values: Values, first: number, length: number): Sums {
  return Float64Array.from(values.subarray(first, first + length));
}
