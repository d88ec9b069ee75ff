import type {Tensor} from '@tensorflow/tfjs-core';
import {parametersAreStatistics} from '../../frame.js';
import {
  type GradInputs,
  type Gradients,
  type NormalizeGradAttributes,
  required,
} from '../../contract.js';
import {type Frame, frameOf} from './frame.js';
import {affine, batchNormGrad} from './batch_norm.js';
import type {TensorflowOps} from './ops.js';

/** NormalizeGrad. */
export function normalizeGrad(
  ops: TensorflowOps,
  inputs: GradInputs,
  attributes: NormalizeGradAttributes,
): Gradients {
  const {tag, tensors: [first, second] = []} = inputs.kept ?? {};
  // The tag says which way Normalize went: see wayOf.
  const {dx, dgamma, dbeta} =
    tag === 'fused op'
      ? columnsGrad(ops, inputs, attributes, [
          required(first),
          required(second),
        ])
      : closedForm(ops, inputs, attributes, first);
  return {
    dx: ops.reshape(dx, inputs.x.shape),
    dgamma: attributes.scale ? dgamma : undefined,
    dbeta: attributes.center ? dbeta : undefined,
  };
}

/** TensorFlow's own gradient, and what flows through the statistics beside it. */
function columnsGrad(
  ops: TensorflowOps,
  inputs: GradInputs,
  {epsilon}: NormalizeGradAttributes,
  [shifted, offset]: readonly [Tensor, Tensor],
): Gradients {
  const {dx, ...parameters} = batchNormGrad(
    ops,
    inputs,
    [shifted, offset],
    epsilon,
  );
  const {slope, constant} = throughStatistics(
    ops,
    inputs,
    offset.shape,
    shifted.size / offset.size,
  );
  if (slope === undefined) return {dx, ...parameters};
  const deviation = ops.sub(shifted, offset);
  return {
    dx: ops.add(dx, ops.affine(deviation, slope, constant)),
    ...parameters,
  };
}

/** The parts of the gradient in x: `flow · weight`, and two sums of flow. */
interface Flow {
  /** dy, times gamma if that varies along a statistic. */
  readonly flow: Tensor;
  /** The inverse deviation, times gamma if it does not. */
  readonly weight: Tensor;
  /** `Σ flow` for each statistic. */
  readonly total?: Tensor | undefined;
  /** `Σ flow · x̂` for each statistic. */
  readonly along?: Tensor | undefined;
  readonly dgamma?: Tensor | undefined;
  readonly dbeta?: Tensor | undefined;
}

/** The tensors to compute with. */
interface Known extends NormalizeGradAttributes {
  readonly frame: Frame;
  readonly dy: Tensor;
  readonly deviation: Tensor;
  readonly inverse: Tensor;
  readonly gamma: Tensor | undefined;
}

/** `dx = flow · weight + constant + deviation · slope`. */
function closedForm(
  ops: TensorflowOps,
  inputs: GradInputs,
  attributes: NormalizeGradAttributes,
  kept: Tensor | undefined,
): Gradients {
  const {view, epsilon, subtractMean} = attributes;
  const frame = frameOf(view);
  const {statistics, count} = frame;
  const variance = ops.reshape(inputs.variance, statistics);
  const inverse = ops.inverseRoot(variance, epsilon);
  const deviation = kept ?? deviationOf(ops, inputs, attributes, frame);
  const known: Known = {
    ...attributes,
    frame,
    dy: ops.reshape(inputs.dy, frame.shape),
    gamma: inputs.gamma && ops.broadcast(inputs.gamma, frame.parameters),
    deviation,
    inverse,
  };
  const {flow, weight, total, along, ...parameters} = parametersAreStatistics(
    view,
  )
    ? columnsFlow(ops, known)
    : rowsFlow(ops, known);
  if (attributes.given || total === undefined || along === undefined) {
    return {dx: ops.mul(flow, weight), ...parameters};
  }
  const share = ops.scale(weight, -1 / count);
  const through = throughStatistics(ops, inputs, statistics, count);
  const slope = ops.mul(ops.mul(share, along), inverse);
  const constant = subtractMean
    ? plus(ops, ops.mul(share, total), through.constant)
    : undefined;
  const direct = affine(ops, flow, weight, constant);
  if (flow !== known.dy) flow.dispose();
  const more = ops.mul(deviation, plus(ops, slope, through.slope));
  return {dx: ops.add(direct, more), ...parameters};
}

/** If each statistic has a parameter, the same two sums serve both. */
function columnsFlow(
  ops: TensorflowOps,
  {
    frame,
    dy,
    deviation,
    inverse,
    gamma,
    given,
    scale,
    center,
    subtractMean,
  }: Known,
): Flow {
  const axes = frame.statisticAxes;
  const total = !given || center ? ops.sum(dy, axes) : undefined;
  let along: Tensor | undefined;
  if (!given || scale) {
    along = sumOfProducts(ops, dy, deviation, axes);
    if (subtractMean && !given && total) {
      // Rounding left a mean in the deviations, which are known to have none.
      along = ops.sub(along, ops.mul(ops.mean(deviation, axes), total));
    }
    along = ops.mul(along, inverse);
  }
  const weight = gamma ? ops.mul(inverse, gamma) : inverse;
  return {flow: dy, weight, total, along, dgamma: along, dbeta: total};
}

function rowsFlow(
  ops: TensorflowOps,
  {frame, dy, deviation, inverse, gamma, given, scale, center}: Known,
): Flow {
  const {statisticAxes, parameterAxes} = frame;
  const products = scale || !given ? ops.mul(dy, deviation) : undefined;
  const sums =
    given || products === undefined
      ? {}
      : {
          total: ops.sum(dy, statisticAxes, gamma),
          along: ops.mul(ops.sum(products, statisticAxes, gamma), inverse),
        };
  const dgamma =
    products && scale ? ops.sum(products, parameterAxes, inverse) : undefined;
  // The next result goes where something is freed early, still in the cache.
  products?.dispose();
  return {
    flow: gamma ? ops.mul(dy, gamma) : dy,
    weight: inverse,
    ...sums,
    dgamma,
    dbeta: center ? ops.sum(dy, parameterAxes) : undefined,
  };
}

function sumOfProducts(
  ops: TensorflowOps,
  a: Tensor,
  b: Tensor,
  axes: readonly number[],
): Tensor {
  const products = ops.mul(a, b);
  const total = ops.sum(products, axes);
  products.dispose();
  return total;
}

/** The gradient through the mean and the variance that were returned. */
function throughStatistics(
  ops: TensorflowOps,
  {dmean, dvariance}: GradInputs,
  statistics: readonly number[],
  count: number,
): {slope?: Tensor; constant?: Tensor} {
  if (dmean === undefined || dvariance === undefined) return {};
  return {
    slope: ops.scale(ops.reshape(dvariance, statistics), 2 / count),
    constant: ops.scale(ops.reshape(dmean, statistics), 1 / count),
  };
}

/**
 * x less its mean, from the mean as it was rounded to float32: what rounding took is put
 * back where the statistics are x's own.
 */
function deviationOf(
  ops: TensorflowOps,
  {x, mean}: GradInputs,
  {subtractMean, given}: NormalizeGradAttributes,
  {shape, statistics, statisticAxes}: Frame,
): Tensor {
  const input = ops.reshape(x, shape);
  if (!subtractMean) return input;
  const rough = ops.sub(input, ops.reshape(mean, statistics));
  if (given) return rough;
  return ops.sub(rough, ops.mean(rough, statisticAxes));
}

function plus(ops: TensorflowOps, a: Tensor, b: Tensor | undefined): Tensor {
  return b ? ops.add(a, b) : a;
}
