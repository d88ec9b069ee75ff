import type {Tensor} from '@tensorflow/tfjs-core';
import {parametersAreStatistics} from '../../frame.js';
import {
  type GradInputs,
  type Gradients,
  type NormalizeAttributes,
  type Normalized,
  type Parameters,
  required,
  viewSize,
} from '../../contract.js';
import type {OpAttribute} from '../../tfjs_private.js';
import {FLOAT, MANY_VALUES, MOST_VALUES, type TensorflowOps} from './ops.js';
import {lastOf} from '../../../util/at.js';

/*
 * TensorFlow's own batch normalization, FusedBatchNormV3. A call takes as long as ten of
 * its simple ops, and it knows the features last only (with the channels first it
 * transposes, there and back).
 */

/** From so many values on, a call of it takes less time than a pass. */
const VERY_MANY_VALUES = 2 ** 19;

/** Statistics that are known. */
export type Statistics = Pick<Normalized, 'mean' | 'variance'>;

/** The two ways to compute here: TensorFlow's op, or simple ones. */
export type Way = 'fused op' | 'simple ops';

/**
 * Decides between them, for every kernel. The op must fit the view and save more than its
 * call takes; statistics of its own it sums in one run, which must not be too long.
 *
 * @param own If true, the statistics are x's own.
 */
export function wayOf(
  {view, subtractMean}: Pick<NormalizeAttributes, 'view' | 'subtractMean'>,
  own: boolean,
): Way {
  const suits =
    subtractMean &&
    parametersAreStatistics(view) &&
    view.inner === 1 &&
    viewSize(view) >= MANY_VALUES &&
    (!own || view.outer <= MOST_VALUES);
  return suits ? 'fused op' : 'simple ops';
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
  features: number,
  epsilon: number,
): Required<Normalized> {
  const input = fourAxes(ops, x, features);
  const origin = ops.first(input, [1, 1, 1, features]);
  const shifted = ops.sub(input, origin);
  const outputs = fused(ops, shifted, parameters, epsilon);
  // The second and third are for moving statistics, with Bessel's correction.
  const [y, , , offset, variance] = outputs.map(required);
  return {
    y: ops.reshape(required(y), x.shape),
    mean: ops.add(required(offset), origin),
    variance: required(variance),
    kept: {tag: 'fused op', tensors: [shifted, required(offset)]},
  };
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

/**
 * `x · scale + shift`: in one pass where both are by the last axis of x and it is large,
 * as batch normalization with a mean of 0 and a variance of 1.
 */
export function affine(
  ops: TensorflowOps,
  x: Tensor,
  scale: Tensor | undefined,
  shift: Tensor | undefined,
): Tensor {
  const isByFeature =
    scale !== undefined &&
    lastOf(scale.shape) === scale.size &&
    scale.size === lastOf(x.shape);
  if (!isByFeature || shift === undefined || x.size < VERY_MANY_VALUES) {
    return ops.affine(x, scale, shift);
  }
  // An epsilon is above 0; the variance makes it 1.
  const epsilon = 0.5;
  const features = [scale.size];
  const statistics = {
    mean: ops.filled(features, 0),
    variance: ops.filled(features, 1 - epsilon),
  };
  const affinity = {gamma: scale, beta: shift};
  return applyBatchNorm(ops, x, statistics, affinity, epsilon);
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
  epsilon: number,
): Gradients {
  const features = [offset.size];
  const [dx, dgamma, dbeta] = ops.run(
    'FusedBatchNormGradV3',
    attributesOf(epsilon, true),
    [
      ops.reshape(dy, shifted.shape),
      shifted,
      gamma ? ops.reshape(gamma, features) : ops.filled(features, 1),
      offset,
      variance,
      ops.filled([0], 0),
    ],
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
