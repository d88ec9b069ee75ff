import {ones, type Tensor, type TensorInfo, zeros} from '@tensorflow/tfjs-core';
import {blockedSum} from './blocked_mean.js';
import type {Fused} from './implementation.js';
import {
  type NormalizeGradAttributes,
  valuesPerStatistic,
  type View,
} from './kernels.js';
import type {
  GradInputs,
  Gradients,
  MovingInputs,
  Normalized,
  Parameters,
} from './packing.js';
import {type BatchNormLayout, TensorflowOps} from './tensorflow_ops.js';
import {opRunnerOf} from './tfjs_private.js';

/**
 * TensorFlow's batch normalization adds up the values of a statistic one after the
 * other. Up to so many, that costs 1e-6 of a variance as a rule. Beyond, the composed
 * kernels are more exact, which sum in blocks.
 */
const MOST_VALUES = 32_768;

/** A view in the four axes of TensorFlow's batch normalization. */
interface Layout extends BatchNormLayout {
  readonly shape: readonly number[];
  /** The shape of one value per statistic. */
  readonly statistics: readonly number[];
  /** The axes a statistic is computed over. */
  readonly axes: readonly number[];
}

/**
 * Kernels for tfjs-node: TensorFlow's own batch normalization where a view fits it, and
 * as few passes over the data as its other ops allow for rows.
 *
 * @throws Error if the op runner is out of reach, or computes on a GPU.
 */
export function tensorflowKernels(backend: unknown): Fused<TensorInfo> {
  const ops = new TensorflowOps(opRunnerOf(backend));
  const kernels: Fused<Tensor> = {
    normalize(x, parameters, {view, epsilon, centered}) {
      const layout = centered ? layoutOf(view, x.shape, epsilon) : undefined;
      if (layout !== undefined) {
        return ops.tidy(() => normalizeColumns(ops, x, parameters, layout));
      }
      if (!areRows(view)) return undefined;
      const options = {view, epsilon, centered};
      return ops.tidy(() => normalizeRows(ops, x, parameters, options));
    },

    applyStatistics(x, mean, variance, parameters, attributes) {
      const {view, epsilon, centered} = attributes;
      const layout = layoutOf(view, x.shape, epsilon, Infinity);
      if (layout?.format !== 'NHWC') return undefined;
      const {y} = ops.tidy(() => {
        const {gamma, beta} = vectorsOf(ops, parameters, view.group);
        const vector = [view.group];
        const output = ops.applyBatchNorm(
          [
            ops.reshape(x, layout.shape),
            gamma,
            beta,
            centered ? ops.reshape(mean, vector) : zeros([view.group]),
            ops.reshape(variance, vector),
          ],
          layout,
        );
        return {y: ops.reshape(output, x.shape)};
      });
      return y;
    },

    normalizeGrad(inputs, attributes) {
      const {view, epsilon, centered, given} = attributes;
      const {shape} = inputs.x;
      const layout = centered ? layoutOf(view, shape, epsilon) : undefined;
      if (layout !== undefined) {
        if (given && !fitsGiven(layout, attributes)) return undefined;
        return ops.tidy(() => columnsGrad(ops, inputs, attributes, layout));
      }
      if (given || attributes.statistics || !areRows(view)) return undefined;
      return ops.tidy(() => rowsGrad(ops, inputs, attributes));
    },

    movingStatistics(inputs) {
      const {mean, variance} = ops.tidy(() => moveStatistics(ops, inputs));
      return [mean, variance];
    },
  };
  // This backend's kernels are given tensors, and may give tensors.
  return kernels as unknown as Fused<TensorInfo>;
}

/** How a view fits TensorFlow's batch normalization, if it does. */
function layoutOf(
  view: View,
  shape: readonly number[],
  epsilon: number,
  mostValues = MOST_VALUES,
): Layout | undefined {
  const {batch, outer, group, channel, inner} = view;
  if (batch !== 1 || channel !== 1) return undefined;
  if (valuesPerStatistic(view) > mostValues) return undefined;
  return inner === 1
    ? {
        format: 'NHWC',
        epsilon,
        // As it is, where it has four axes and the last one is the features'.
        shape:
          shape.length === 4 && shape[3] === group
            ? shape
            : [1, 1, outer, group],
        statistics: [1, 1, 1, group],
        axes: [0, 1, 2],
      }
    : {
        format: 'NCHW',
        epsilon,
        shape: [outer, group, inner, 1],
        statistics: [1, group, 1, 1],
        axes: [0, 2, 3],
      };
}

/** TensorFlow knows given statistics with the channels last only; without parameters one product does it. */
function fitsGiven(
  {format}: Layout,
  {scale, center}: NormalizeGradAttributes,
): boolean {
  return format === 'NHWC' && (scale || center);
}

function areRows(view: View): boolean {
  const {batch, outer, group, inner} = view;
  const most = Math.max(batch, valuesPerStatistic(view));
  return outer === 1 && group === 1 && inner === 1 && most <= MOST_VALUES;
}

function vectorsOf(
  ops: TensorflowOps,
  {gamma, beta}: Parameters,
  length: number,
): {gamma: Tensor; beta: Tensor} {
  return {
    gamma: gamma ? ops.reshape(gamma, [length]) : ones([length]),
    beta: beta ? ops.reshape(beta, [length]) : zeros([length]),
  };
}

/**
 * One value of the data per statistic is subtracted first: where the mean is large
 * against the deviation, TensorFlow's variance has no digits left otherwise.
 */
function normalizeColumns(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Parameters,
  layout: Layout,
): Normalized {
  const input = ops.reshape(x, layout.shape);
  const origin = ops.first(input, layout.statistics);
  const {gamma, beta} = vectorsOf(ops, parameters, origin.size);
  const shifted = ops.sub(input, origin);
  const {y, mean, variance} = ops.batchNorm([shifted, gamma, beta], layout);
  return {
    y: ops.reshape(y, x.shape),
    mean: ops.add(mean, ops.reshape(origin, mean.shape)),
    variance,
  };
}

function columnsGrad(
  ops: TensorflowOps,
  {dy, x, mean, variance, gamma, dmean, dvariance}: GradInputs,
  {given, scale, center, view}: NormalizeGradAttributes,
  layout: Layout,
): Gradients {
  const vector = [view.group];
  // With the features last, a vector of them broadcasts as it is.
  const perStatistic = (values: Tensor): Tensor =>
    ops.reshape(values, layout.format === 'NHWC' ? vector : layout.statistics);
  const rough = ops.sub(ops.reshape(x, layout.shape), perStatistic(mean));
  // What rounding took of the mean.
  const rest = given ? zeros(vector) : ops.mean(rough, layout.axes, false);
  const {dx, dgamma, dbeta} = ops.batchNormGrad(
    [
      ops.reshape(dy, layout.shape),
      rough,
      vectorsOf(ops, {gamma}, view.group).gamma,
      rest,
      ops.reshape(variance, vector),
    ],
    layout,
    given,
  );
  let flow = dx;
  if (dmean !== undefined && dvariance !== undefined) {
    const share = 1 / valuesPerStatistic(view);
    const along = ops.scale(perStatistic(dvariance), 2 * share);
    const offset = ops.scale(perStatistic(dmean), share);
    flow = ops.add(flow, ops.add(ops.mul(rough, along), offset));
  }
  return {
    dx: ops.reshape(flow, x.shape),
    dgamma: scale ? dgamma : undefined,
    dbeta: center ? dbeta : undefined,
  };
}

/** Rows `[batch, channel]`, each with a mean and a variance of its own. */
function normalizeRows(
  ops: TensorflowOps,
  x: Tensor,
  {gamma, beta}: Parameters,
  {
    view: {batch, channel},
    epsilon,
    centered,
  }: {
    readonly view: View;
    readonly epsilon: number;
    readonly centered: boolean;
  },
): Normalized {
  const input = ops.reshape(x, [batch, channel]);
  let deviation = input;
  let mean: Tensor = zeros([batch, 1]);
  if (centered) {
    const origin = ops.first(input, [batch, 1]);
    const shifted = ops.sub(input, origin);
    const offset = ops.mean(shifted, [1], true);
    deviation = ops.sub(shifted, offset);
    mean = ops.add(origin, offset);
  }
  const variance = ops.mean(ops.square(deviation), [1], true);
  let y = ops.mul(deviation, ops.inverseRoot(variance, epsilon));
  if (gamma) y = ops.mul(y, ops.reshape(gamma, [channel]));
  if (beta) y = ops.add(y, ops.reshape(beta, [channel]));
  return {y: ops.reshape(y, x.shape), mean, variance};
}

/**
 * The gradient of rows. Sums of products are products of matrices, which need no
 * temporary of x's size.
 */
function rowsGrad(
  ops: TensorflowOps,
  inputs: GradInputs,
  {
    view: {batch, channel},
    epsilon,
    centered,
    scale,
    center,
  }: NormalizeGradAttributes,
): Gradients {
  const {gamma} = inputs;
  const dy = ops.reshape(inputs.dy, [batch, channel]);
  const x = ops.reshape(inputs.x, [batch, channel]);
  const perRow = (values: Tensor): Tensor => ops.reshape(values, [batch, 1]);
  const inverse = ops.inverseRoot(perRow(inputs.variance), epsilon);
  const rough = centered ? ops.sub(x, perRow(inputs.mean)) : x;
  // What rounding took of the mean.
  const rest = centered ? ops.mean(rough, [1], true) : zeros([batch, 1]);
  const products = ops.mul(dy, rough);

  const weights = gamma ? ops.reshape(gamma, [channel, 1]) : ones([channel, 1]);
  const flow = ops.matMul(dy, weights);
  const aligned = ops.sub(ops.matMul(products, weights), ops.mul(rest, flow));
  const cubed = ops.mul(inverse, ops.square(inverse));
  const along = ops.scale(ops.mul(aligned, cubed), -1 / channel);
  const flowing = gamma ? ops.mul(dy, ops.reshape(gamma, [channel])) : dy;
  let dx = ops.add(ops.mul(flowing, inverse), ops.mul(rough, along));
  if (centered) {
    const toMean = ops.scale(ops.mul(flow, inverse), -1 / channel);
    dx = ops.add(dx, ops.sub(toMean, ops.mul(along, rest)));
  }
  return {
    dx: ops.reshape(dx, inputs.x.shape),
    dgamma: scale
      ? ops.sub(
          ops.matMul(inverse, products, true),
          ops.matMul(ops.mul(inverse, rest), dy, true),
        )
      : undefined,
    dbeta: center ? blockedSum(dy, [0], false) : undefined,
  };
}

function moveStatistics(
  ops: TensorflowOps,
  {movingMean, movingVariance, mean, variance, rate}: MovingInputs,
): {mean: Tensor; variance: Tensor} {
  const {shape} = movingMean;
  const newMean = ops.reshape(mean, shape);
  const newVariance = ops.reshape(variance, shape);
  const usable = ops.areFinite(newMean, newVariance);
  const rest = ops.sub(ones([]), rate);
  const blend = (old: Tensor, value: Tensor): Tensor => {
    const moved = ops.add(ops.mul(old, rest), ops.mul(value, rate));
    return ops.select(usable, moved, old);
  };
  return {
    mean: blend(movingMean, newMean),
    variance: blend(movingVariance, newVariance),
  };
}
