import {
  add,
  matMul,
  mul,
  ones,
  reshape,
  rsqrt,
  slice,
  sub,
  type Tensor,
  type TensorInfo,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {blockedMean, blockedSum} from './blocked_mean.js';
import type {Fused} from './implementation.js';
import {
  type NormalizeGradAttributes,
  valuesPerStatistic,
  type View,
} from './kernels.js';
import {type GradInputs, type Gradients, required} from './packing.js';
import {opRunnerOf, type OpRunner} from './tfjs_private.js';

/**
 * TensorFlow adds up the values of a statistic one after the other. Up to so many, that
 * costs 1e-6 of a variance as a rule. Beyond, the composed kernels are more exact,
 * which sum in blocks.
 */
const MOST_VALUES = 32_768;

/** A view in the four axes of TensorFlow's batch normalization. */
interface Layout {
  readonly format: 'NHWC' | 'NCHW';
  readonly shape: [number, number, number, number];
  /** The shape of one value per statistic, and the axes it is computed over. */
  readonly statistics: [number, number, number, number];
  readonly axes: number[];
}

/**
 * Kernels for tfjs-node: TensorFlow's own batch normalization where a view fits it, and
 * fewer passes than the composed kernels take for the gradient of rows.
 *
 * @throws Error if the op runner is out of reach, or computes on a GPU.
 */
export function tensorflowKernels(backend: unknown): Fused<TensorInfo> {
  // This backend's kernels are given tensors, and may give tensors.
  return kernelsWith(opRunnerOf(backend)) as unknown as Fused<TensorInfo>;
}

function kernelsWith(run: OpRunner): Fused<Tensor> {
  return {
    normalize(x, {gamma, beta}, {view, epsilon, centered}) {
      const layout = centered ? layoutOf(view) : undefined;
      return (
        layout && tidy(() => normalize(run, x, gamma, beta, layout, epsilon))
      );
    },

    applyStatistics(
      x,
      mean,
      variance,
      {gamma, beta},
      {view, epsilon, centered},
    ) {
      const layout = layoutOf(view, Infinity);
      if (layout?.format !== 'NHWC') return undefined;
      return tidy(() => {
        const {group} = view;
        const [y] = run(
          'FusedBatchNormV3',
          {...attributesOf(layout, epsilon, false), exponential_avg_factor: 1},
          [
            reshape(x, layout.shape),
            gamma ? reshape(gamma, [group]) : ones([group]),
            beta ? reshape(beta, [group]) : zeros([group]),
            centered ? reshape(mean, [group]) : zeros([group]),
            reshape(variance, [group]),
          ],
          6,
        );
        return reshape(required(y), x.shape);
      });
    },

    normalizeGrad(inputs, attributes) {
      const layout = attributes.centered
        ? layoutOf(attributes.view)
        : undefined;
      if (layout !== undefined) {
        const {given, scale, center} = attributes;
        // Without parameters, given statistics are one product.
        const known = layout.format === 'NHWC' && (scale || center);
        if (given && !known) return undefined;
        return tidy(() => ({...gradient(run, inputs, attributes, layout)}));
      }
      const {given, statistics, view} = attributes;
      if (given || statistics || !areRows(view)) return undefined;
      return tidy(() => ({...rowsGradient(inputs, attributes)}));
    },
  };
}

/** How a view fits TensorFlow's batch normalization, if it does. */
function layoutOf(view: View, mostValues = MOST_VALUES): Layout | undefined {
  const {batch, outer, group, channel, inner} = view;
  if (batch !== 1 || channel !== 1) return undefined;
  if (valuesPerStatistic(view) > mostValues) return undefined;
  return inner === 1
    ? {
        format: 'NHWC',
        shape: [1, 1, outer, group],
        statistics: [1, 1, 1, group],
        axes: [2],
      }
    : {
        format: 'NCHW',
        shape: [outer, group, inner, 1],
        statistics: [1, group, 1, 1],
        axes: [0, 2],
      };
}

function areRows(view: View): boolean {
  const {batch, outer, group, inner} = view;
  const most = Math.max(batch, valuesPerStatistic(view));
  return outer === 1 && group === 1 && inner === 1 && most <= MOST_VALUES;
}

/**
 * One value of the data per statistic is subtracted first: where the mean is large
 * against the deviation, TensorFlow's variance has no digits left otherwise. The
 * variance that it returns has Bessel's correction; the one that it keeps for its
 * gradient is biased.
 */
function normalize(
  run: OpRunner,
  x: Tensor,
  gamma: Tensor | undefined,
  beta: Tensor | undefined,
  layout: Layout,
  epsilon: number,
): {y: Tensor; mean: Tensor; variance: Tensor} {
  const input = reshape(x, layout.shape);
  const origin = slice(input, [0, 0, 0, 0], layout.statistics);
  const group = origin.size;
  const none = tensor1d([]);
  const [y, , , mean, variance] = run(
    'FusedBatchNormV3',
    {...attributesOf(layout, epsilon, true), exponential_avg_factor: 1},
    [
      sub(input, origin),
      gamma ? reshape(gamma, [group]) : ones([group]),
      beta ? reshape(beta, [group]) : zeros([group]),
      none,
      none,
    ],
    6,
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor];
  return {
    y: reshape(y, x.shape),
    mean: add(mean, reshape(origin, [group])),
    variance,
  };
}

function gradient(
  run: OpRunner,
  {dy, x, mean, variance, gamma, dmean, dvariance}: GradInputs,
  {epsilon, given, scale, center, view}: NormalizeGradAttributes,
  layout: Layout,
): Gradients {
  const rough = sub(reshape(x, layout.shape), reshape(mean, layout.statistics));
  const group = mean.size;
  const [dx, dgamma, dbeta] = run(
    'FusedBatchNormGradV3',
    attributesOf(layout, epsilon, !given),
    [
      reshape(dy, layout.shape),
      rough,
      gamma ? reshape(gamma, [group]) : ones([group]),
      // What rounding took of the mean.
      given
        ? zeros([group])
        : reshape(blockedMean(rough, layout.axes), [group]),
      reshape(variance, [group]),
      tensor1d([]),
    ],
    5,
  ) as [Tensor, Tensor, Tensor];
  const throughStatistics = (input: Tensor): Tensor => {
    if (dmean === undefined || dvariance === undefined) return input;
    const share = 1 / valuesPerStatistic(view);
    const perStatistic = (values: Tensor, factor: number): Tensor =>
      mul(reshape(values, layout.statistics), factor);
    const own = mul(rough, perStatistic(dvariance, 2 * share));
    return add(input, add(own, perStatistic(dmean, share)));
  };
  return {
    dx: reshape(throughStatistics(dx), x.shape),
    dgamma: scale ? dgamma : undefined,
    dbeta: center ? dbeta : undefined,
  };
}

/**
 * The gradient of rows `[batch, channel]`. Sums of products are products of matrices,
 * which need no temporary of x's size.
 */
function rowsGradient(
  inputs: GradInputs,
  {view, epsilon, centered, scale, center}: NormalizeGradAttributes,
): Gradients {
  const {batch, channel} = view;
  const dy = reshape(inputs.dy, [batch, channel]);
  const x = reshape(inputs.x, [batch, channel]);
  const perRow = (values: Tensor): Tensor => reshape(values, [batch, 1]);
  const inverse = rsqrt(add(perRow(inputs.variance), epsilon));
  const rough = centered ? sub(x, perRow(inputs.mean)) : x;
  // What rounding took of the mean.
  const rest = centered ? blockedMean(rough, [1]) : zeros([batch, 1]);
  const products = mul(dy, rough);

  const weights = inputs.gamma
    ? reshape(inputs.gamma, [channel, 1])
    : ones([channel, 1]);
  const flow: Tensor = matMul(dy, weights);
  const aligned = sub(matMul(products, weights), mul(rest, flow));
  const along = mul(
    mul(aligned, mul(inverse, mul(inverse, inverse))),
    -1 / channel,
  );
  const offset = centered
    ? sub(mul(mul(flow, inverse), -1 / channel), mul(along, rest))
    : undefined;
  const flowing = inputs.gamma
    ? mul(dy, reshape(inputs.gamma, [1, channel]))
    : dy;
  let dx = add(mul(flowing, inverse), mul(rough, along));
  if (offset) dx = add(dx, offset);
  return {
    dx: reshape(dx, inputs.x.shape),
    dgamma: scale
      ? sub(
          matMul(inverse, products, true),
          matMul(mul(inverse, rest), dy, true),
        )
      : undefined,
    dbeta: center ? blockedSum(dy, [0], false) : undefined,
  };
}

const FLOAT = {type: 'float'} as const;

function attributesOf(
  {format}: Layout,
  epsilon: number,
  training: boolean,
): Parameters<OpRunner>[1] {
  return {
    T: FLOAT,
    U: FLOAT,
    epsilon,
    data_format: format,
    is_training: training,
  };
}
