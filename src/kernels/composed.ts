import {
  add,
  clone,
  engine,
  isFinite as isFiniteTensor,
  logicalAnd,
  mul,
  rsqrt,
  Select,
  slice,
  square,
  sub,
  type Tensor,
  zeros,
} from '@tensorflow/tfjs-core';
import {Frame, parametersAreStatistics, reshapeTo} from './frame.js';
import {
  type GradInputs,
  type Gradients,
  type MovingInputs,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type Normalized,
  type Parameters,
  type View,
  parametersCount,
  statisticsCount,
  valuesPerStatistic,
  viewSize,
} from './contract.js';

/*
 * The four kernels in plain core ops: right on any backend, the fallback where a
 * backend has no kernels of its own, and the reference for those that have.
 * Every function here may run under a tape too, and is then differentiable to
 * any order.
 */

/** Normalize: statistics of x, and x normalized with them. */
export function normalize(
  input: Tensor,
  {gamma, beta}: Parameters,
  {view, epsilon, subtractMean}: NormalizeAttributes,
): Normalized {
  if (viewSize(view) === 0) {
    const nothing = zeros([statisticsCount(view)]);
    return {y: clone(input), mean: nothing, variance: clone(nothing)};
  }
  const frame = new Frame(view, input.shape);
  const x = frame.whole(input);
  const {deviation, mean} = subtractMean
    ? centerOnMean(frame, x)
    : {deviation: x, mean: zerosPerStatistic(frame)};
  const variance = frame.meanPerStatistic(square(deviation));
  const inverse = inverseDeviation(variance, epsilon);
  const y = scaleAndShift(view, frame, deviation, inverse, {gamma, beta});
  return {y: reshapeTo(y, input.shape), mean, variance};
}

/** ApplyStatistics: x normalized with statistics that are known. */
export function applyStatistics(
  input: Tensor,
  mean: Tensor,
  variance: Tensor,
  {gamma, beta}: Parameters,
  {view, epsilon, subtractMean}: NormalizeAttributes,
): Tensor {
  if (viewSize(view) === 0) return clone(input);
  const frame = new Frame(view, input.shape);
  const x = frame.whole(input);
  const deviation = subtractMean ? sub(x, frame.perStatistic(mean)) : x;
  const inverse = inverseDeviation(frame.perStatistic(variance), epsilon);
  const y = scaleAndShift(view, frame, deviation, inverse, {gamma, beta});
  return reshapeTo(y, input.shape);
}

/**
 * NormalizeGrad, in closed form:
 * `dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ` with `g = dy · gamma`, plus what
 * flows through the mean and the variance themselves.
 *
 * To be differentiated once more, it must depend on x through the statistics
 * too: `recompute` computes them anew. The saved mean then serves as a constant
 * that keeps the numbers small, which changes neither value nor derivative.
 */
export function normalizeGrad(
  {dy, dmean, dvariance, x, mean, variance, gamma}: GradInputs,
  attributes: NormalizeGradAttributes,
  recompute = false,
): Gradients {
  const {view, epsilon, subtractMean, given, scale, center} = attributes;
  if (viewSize(view) === 0) {
    const nothing = zeros([parametersCount(view)]);
    return {
      dx: zeros(x.shape),
      dgamma: scale ? nothing : undefined,
      dbeta: center ? clone(nothing) : undefined,
    };
  }
  const frame = new Frame(view, x.shape);
  const count = valuesPerStatistic(view);
  const upstream = frame.whole(dy);
  const deviation = deviationFrom(frame, x, mean, attributes);
  const variances =
    recompute && !given
      ? frame.meanPerStatistic(square(deviation))
      : frame.perStatistic(variance);
  const inverse = inverseDeviation(variances, epsilon);
  const normalized = mul(deviation, inverse);
  const weight =
    gamma === undefined ? inverse : mul(frame.perParameter(gamma), inverse);
  const direct = mul(upstream, weight);

  // Where parameters and statistics coincide, the same two sums serve both.
  const shared = parametersAreStatistics(view) && !given;
  const toBeta = center || shared ? frame.sumPerParameter(upstream) : undefined;
  const toGamma =
    scale || shared
      ? frame.sumPerParameter(mul(upstream, normalized))
      : undefined;
  const parameters = {
    dgamma: scale ? toGamma : undefined,
    dbeta: center ? toBeta : undefined,
  };
  if (given) return {dx: reshapeTo(direct, x.shape), ...parameters};

  let throughMean: Tensor;
  let throughVariance: Tensor;
  if (shared && toBeta !== undefined && toGamma !== undefined) {
    const share = mul(weight, 1 / count);
    throughMean = mul(share, frame.perParameter(toBeta));
    throughVariance = mul(share, frame.perParameter(toGamma));
  } else {
    throughMean = frame.meanPerStatistic(direct);
    throughVariance = frame.meanPerStatistic(mul(direct, normalized));
  }
  let dx = sub(direct, mul(normalized, throughVariance));
  if (subtractMean) dx = sub(dx, throughMean);
  if (dvariance !== undefined) {
    const coefficient = mul(frame.perStatistic(dvariance), 2 / count);
    dx = add(dx, mul(deviation, coefficient));
  }
  if (dmean !== undefined && subtractMean) {
    dx = add(dx, mul(frame.perStatistic(dmean), 1 / count));
  }
  return {dx: reshapeTo(dx, x.shape), ...parameters};
}

/**
 * The gradients of ApplyStatistics in its mean and its variance, from the one in
 * x: `dmean = −Σ dx` and `dvariance = −½ Σ dx · (x − mean) / (variance + epsilon)`.
 */
export function statisticsGrad(
  dx: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  {view, epsilon}: NormalizeAttributes,
): {dmean: Tensor; dvariance: Tensor} {
  const frame = new Frame(view, x.shape);
  const count = valuesPerStatistic(view);
  const flow = frame.whole(dx);
  const deviation = sub(frame.whole(x), frame.perStatistic(mean));
  const inverse = inverseDeviation(frame.perStatistic(variance), epsilon);
  const along = frame.meanPerStatistic(mul(flow, deviation));
  return {
    dmean: reshapeTo(mul(frame.meanPerStatistic(flow), -count), mean.shape),
    dvariance: reshapeTo(
      mul(mul(along, square(inverse)), -count / 2),
      variance.shape,
    ),
  };
}

/** MovingStatistics: both moving values, moved towards the new ones by `rate`. */
export function movingStatistics({
  movingMean,
  movingVariance,
  mean,
  variance,
  rate,
}: MovingInputs): [Tensor, Tensor] {
  const newMean = reshapeTo(mean, movingMean.shape);
  const newVariance = reshapeTo(variance, movingVariance.shape);
  const usable = logicalAnd(
    isFiniteTensor(newMean),
    isFiniteTensor(newVariance),
  );
  const rest = sub(1, rate);
  // Not old + (new − old) · rate, which forgets a small value beside a large one.
  const blend = (old: Tensor, value: Tensor): Tensor =>
    select(usable, add(mul(old, rest), mul(value, rate)), old);
  return [blend(movingMean, newMean), blend(movingVariance, newVariance)];
}

/**
 * x less its mean. One value of the data is subtracted first, so that the sums
 * are of small numbers: plain two-pass loses all digits where the mean is large.
 */
function centerOnMean(
  frame: Frame,
  x: Tensor,
): {deviation: Tensor; mean: Tensor} {
  const {begin, size} = frame.firstPosition();
  const origin = slice(x, begin, size);
  const shifted = sub(x, origin);
  const offset = frame.meanPerStatistic(shifted);
  return {deviation: sub(shifted, offset), mean: add(origin, offset)};
}

/**
 * x less its mean, from the mean as it was rounded to float32: what rounding took
 * is put back where the statistics are x's own.
 */
function deviationFrom(
  frame: Frame,
  input: Tensor,
  mean: Tensor,
  {subtractMean, given}: NormalizeGradAttributes,
): Tensor {
  const x = frame.whole(input);
  if (!subtractMean) return x;
  const rough = sub(x, frame.perStatistic(mean));
  return given ? rough : sub(rough, frame.meanPerStatistic(rough));
}

function inverseDeviation(variance: Tensor, epsilon: number): Tensor {
  return rsqrt(add(variance, epsilon));
}

function scaleAndShift(
  view: View,
  frame: Frame,
  deviation: Tensor,
  inverse: Tensor,
  {gamma, beta}: Parameters,
): Tensor {
  const scale = gamma && frame.perParameter(gamma);
  const shift = beta && frame.perParameter(beta);
  let y: Tensor;
  if (scale && parametersAreStatistics(view)) {
    // One small product instead of two large ones.
    y = mul(deviation, mul(inverse, scale));
  } else {
    y = mul(deviation, inverse);
    if (scale) y = mul(y, scale);
  }
  return shift ? add(y, shift) : y;
}

function zerosPerStatistic(frame: Frame): Tensor {
  return zeros(frame.firstPosition().size);
}

/** `tf.where` for tensors of one shape, without its three clones. */
function select(condition: Tensor, yes: Tensor, no: Tensor): Tensor {
  return engine().runKernel<Tensor>(Select, {condition, t: yes, e: no});
}
