import type {Tensor} from '@tensorflow/tfjs-core';
import {parametersAreStatistics} from '../frame.js';
import {type View, viewSize} from '../kernels.js';
import {
  type GradInputs,
  type Gradients,
  type Normalized,
  type Parameters,
  required,
} from '../packing.js';
import type {Frame} from './frame.js';
import type {OpAttribute} from '../tfjs_private.js';
import {FLOAT, MANY_VALUES, MOST_VALUES, type TensorflowOps} from './ops.js';

/*
 * TensorFlow's own batch normalization, FusedBatchNormV3. A call takes as long as ten of
 * its simple ops, and it knows the features last only (with the channels first it
 * transposes, there and back).
 */

/** From so many values on, a call of it takes less time than a pass. */
const VERY_MANY_VALUES = 2 ** 19;

/** Wider parts take longer than what else there is. */
const MOST_PARTS = 12;

/** How values are divided. */
export interface Division {
  readonly features: number;
  /** Into how many parts, each with sums of its own. */
  readonly parts: number;
  readonly epsilon: number;
}

/** Statistics that are known. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Whether it fits a view, and saves more than its call takes. */
export function suitsBatchNorm(view: View): boolean {
  return (
    parametersAreStatistics(view) &&
    view.inner === 1 &&
    viewSize(view) >= MANY_VALUES
  );
}

/**
 * Into how many parts a statistic's values are to be divided to be summed exactly enough:
 * undefined where it would be too many.
 */
export function partsOf({outer}: View): number | undefined {
  const least = Math.ceil(outer / MOST_VALUES);
  for (let parts = least; parts <= MOST_PARTS; parts++) {
    if (outer % parts === 0) return parts;
  }
  return undefined;
}

/**
 * Batch normalization. Where the mean is large against the deviation, TensorFlow's
 * variance has no digits left: one value of the data is subtracted first.
 *
 * @param x In any shape whose last axis, or axes, are the features.
 */
export function batchNorm(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Parameters,
  {features, parts, epsilon}: Division,
): Required<Normalized> {
  const input = fourAxes(ops, x, features);
  const origin = ops.first(input, [1, 1, 1, features]);
  const shifted = ops.sub(input, origin);
  const outputs =
    parts === 1
      ? fused(ops, shifted, parameters, epsilon)
      : inParts(ops, shifted, parameters, {features, parts, epsilon});
  // The second and third are for moving statistics, with Bessel's correction.
  const [y, , , offset, variance] = outputs.map(required);
  return {
    y: ops.reshape(required(y), x.shape),
    mean: ops.add(required(offset), origin),
    variance: required(variance),
    kept: [shifted, required(offset)],
  };
}

/** Statistics of each part are merged; then they normalize the whole. */
function inParts(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Parameters,
  {features, parts, epsilon}: Division,
): Tensor[] {
  const [waste, second, third, means, variances] = fused(
    ops,
    fourAxes(ops, x, parts * features),
    {},
    epsilon,
  ).map(required);
  required(waste).dispose();
  const own = ops.reshape(required(means), [parts, features]);
  const mean = ops.mean(own, [0]);
  const variance = ops.add(
    ops.mean(ops.reshape(required(variances), [parts, features]), [0]),
    ops.mean(ops.square(ops.sub(own, mean)), [0]),
  );
  const statistics = {
    mean: ops.reshape(mean, [features]),
    variance: ops.reshape(variance, [features]),
  };
  const [y] = fused(ops, x, parameters, epsilon, statistics);
  return [y, second, third, statistics.mean, statistics.variance].map(required);
}

/** Batch normalization with known statistics. */
export function applyBatchNorm(
  ops: TensorflowOps,
  x: Tensor,
  statistics: Statistics,
  parameters: Parameters,
  epsilon: number,
): Tensor {
  const input = fourAxes(ops, x, statistics.mean.size);
  const [y] = fused(ops, input, parameters, epsilon, statistics);
  return ops.reshape(required(y), x.shape);
}

/** Whether {@link affineByFeature} fits, and saves more than its call takes. */
export function suitsFeatures(
  {shape, parameters}: Frame,
  {size}: Tensor,
): boolean {
  const values = shape.reduce((product, length) => product * length, 1);
  return parameters.at(-1) === size && values >= VERY_MANY_VALUES;
}

/** `x · gamma + beta` for each feature, in one pass: batch normalization of nothing. */
export function affineByFeature(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Required<Parameters>,
): Tensor {
  // An epsilon is above 0; the variance makes it 1.
  const epsilon = 0.5;
  const features = x.shape.slice(-1);
  const statistics = {
    mean: ops.filled(features, 0),
    variance: ops.filled(features, 1 - epsilon),
  };
  return applyBatchNorm(ops, x, statistics, parameters, epsilon);
}

/**
 * The gradients of {@link batchNorm}.
 *
 * @param kept What it kept.
 * @return dx in the shape of what was kept.
 */
export function batchNormGrad(
  ops: TensorflowOps,
  {dy, variance, gamma}: GradInputs,
  [shifted, offset]: readonly [Tensor, Tensor],
  {features, parts, epsilon}: Division,
): Gradients {
  const flow = ops.reshape(dy, shifted.shape);
  const scale = gamma
    ? ops.reshape(gamma, [features])
    : ops.filled([features], 1);
  const whole = {scale, mean: offset, variance};
  if (parts === 1) {
    return fusedGrad(ops, [flow, shifted], whole, epsilon, true);
  }
  const repeat = (values: Tensor): Tensor =>
    ops.reshape(ops.mul(ops.filled([parts, 1], 1), values), [parts * features]);
  const part = {
    scale: repeat(scale),
    mean: repeat(offset),
    variance: repeat(variance),
  };
  const values = [flow, shifted].map((x) => fourAxes(ops, x, parts * features));
  // As if the statistics were constants; what flows through them comes after.
  const direct = fusedGrad(ops, values, part, epsilon, false);
  const [dgamma, dbeta] = [direct.dgamma, direct.dbeta].map((sums) =>
    ops.sum(ops.reshape(required(sums), [parts, features]), [0]),
  ) as [Tensor, Tensor];
  const inverse = ops.inverseRoot(variance, epsilon);
  const share = ops.scale(ops.mul(scale, inverse), -features / shifted.size);
  const [through] = fused(
    ops,
    shifted,
    {
      gamma: ops.mul(share, ops.reshape(dgamma, [features])),
      beta: ops.mul(share, ops.reshape(dbeta, [features])),
    },
    epsilon,
    {mean: offset, variance},
  );
  const dx = ops.add(ops.reshape(direct.dx, shifted.shape), required(through));
  return {dx, dgamma, dbeta};
}

/** FusedBatchNormGradV3. */
function fusedGrad(
  ops: TensorflowOps,
  values: readonly Tensor[],
  {
    scale,
    mean,
    variance,
  }: {readonly scale: Tensor; readonly mean: Tensor; readonly variance: Tensor},
  epsilon: number,
  training: boolean,
): Gradients {
  const [dx, dgamma, dbeta] = ops.run(
    'FusedBatchNormGradV3',
    attributesOf(epsilon, training),
    [...values, scale, mean, variance, ops.filled([0], 0)],
    5,
  );
  return {dx: required(dx), dgamma, dbeta};
}

/** FusedBatchNormV3. Without statistics, it computes x's own. */
function fused(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Parameters,
  epsilon: number,
  statistics?: Statistics,
): Tensor[] {
  const features = x.shape.slice(-1);
  const vector = (values: Tensor | undefined, otherwise: number): Tensor =>
    values ? ops.reshape(values, features) : ops.filled(features, otherwise);
  const nothing = ops.filled([0], 0);
  return ops.run(
    'FusedBatchNormV3',
    {
      ...attributesOf(epsilon, statistics === undefined),
      exponential_avg_factor: 1,
    },
    [
      x,
      vector(parameters.gamma, 1),
      vector(parameters.beta, 0),
      statistics ? ops.reshape(statistics.mean, features) : nothing,
      statistics ? ops.reshape(statistics.variance, features) : nothing,
    ],
    6,
  );
}

function fourAxes(ops: TensorflowOps, x: Tensor, features: number): Tensor {
  return x.rank === 4 && x.shape[3] === features
    ? x
    : ops.reshape(x, [1, 1, x.size / features, features]);
}

function attributesOf(
  epsilon: number,
  training: boolean,
): Record<string, OpAttribute> {
  return {
    T: FLOAT,
    U: FLOAT,
    epsilon,
    data_format: 'NHWC',
    is_training: training,
  };
}
