import type {Tensor} from '@tensorflow/tfjs-core';
import {parametersAreStatistics} from '../../frame.js';
import {
  type GradInputs,
  type Gradients,
  type NormalizeGradAttributes,
  required,
} from '../../contract.js';
import {Frame} from './frame.js';
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

/** The parts of the gradient in x: `flow · weight`, and two sums for each statistic. */
interface Flow {
  /** dy, or dy times gamma. */
  readonly flow: Tensor;
  /** The rest of `dy · gamma · inverse`, as it broadcasts over flow. */
  readonly weight: Tensor;
  /** The factor of the sums: the inverse deviation, times gamma if they have none. */
  readonly factor: Tensor;
  /** `Σ dy`, or `Σ dy · gamma`. */
  readonly total?: Tensor | undefined;
  /** The same of `dy · x̂`. */
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
  const frame = new Frame(ops, view);
  const variance = frame.perStatistic(inputs.variance);
  const inverse = ops.inverseRoot(variance, epsilon);
  const deviation = kept ?? deviationOf(ops, inputs, attributes, frame);
  const known: Known = {
    ...attributes,
    frame,
    dy: frame.whole(inputs.dy),
    gamma: inputs.gamma && frame.perParameter(inputs.gamma),
    deviation,
    inverse,
  };
  const {flow, weight, factor, total, along, ...parameters} =
    parametersAreStatistics(view)
      ? columnsFlow(ops, known)
      : rowsFlow(ops, known);
  if (attributes.given || total === undefined || along === undefined) {
    return {dx: ops.mul(flow, weight), ...parameters};
  }
  const share = ops.scale(factor, -1 / frame.count);
  const through = throughStatistics(ops, inputs, variance.shape, frame.count);
  const slope = ops.mul(ops.mul(share, along), inverse);
  const constant = subtractMean
    ? plus(ops, ops.mul(share, total), through.constant)
    : undefined;
  const direct = affine(ops, flow, weight, constant && frame.spread(constant));
  if (flow !== known.dy) flow.dispose();
  const slopes = frame.spread(plus(ops, slope, through.slope));
  const more = ops.mul(deviation, slopes);
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
  const total = !given || center ? frame.sum(dy) : undefined;
  let along: Tensor | undefined;
  if (!given || scale) {
    const products = ops.mul(dy, deviation);
    along = frame.sum(products);
    products.dispose();
    if (subtractMean && !given && total) {
      // Rounding left a mean in the deviations, which are known to have none.
      along = ops.sub(along, ops.mul(frame.mean(deviation), total));
    }
    along = ops.mul(along, inverse);
  }
  const weight = gamma ? ops.mul(inverse, gamma) : inverse;
  return {
    flow: dy,
    weight,
    factor: weight,
    total,
    along,
    dgamma: along,
    dbeta: total,
  };
}

/** If not, the sums are of sums over the axes that they have in common. */
function rowsFlow(
  ops: TensorflowOps,
  {frame, dy, deviation, inverse, gamma, given, scale, center}: Known,
): Flow {
  const products = scale || !given ? ops.mul(dy, deviation) : undefined;
  const alongs = products && frame.commonSum(products);
  const totals = !given || center ? frame.commonSum(dy) : undefined;
  const dgamma =
    alongs && scale ? frame.sumPerParameter(alongs, inverse) : undefined;
  const dbeta = totals && center ? frame.sumPerParameter(totals) : undefined;
  const sums =
    given || alongs === undefined || totals === undefined
      ? {}
      : {
          total: frame.sum(totals, gamma),
          along: ops.mul(frame.sum(alongs, gamma), inverse),
        };
  // The next result goes where something is freed early, still in the cache.
  products?.dispose();
  const each = frame.spread(inverse);
  const flowing =
    gamma === undefined
      ? {flow: dy, weight: each}
      : frame.hasCommonAxes
        ? {flow: dy, weight: ops.mul(each, gamma)}
        : {flow: ops.mul(dy, gamma), weight: each};
  return {...flowing, factor: inverse, ...sums, dgamma, dbeta};
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
  frame: Frame,
): Tensor {
  const input = frame.whole(x);
  if (!subtractMean) return input;
  const rough = ops.sub(input, frame.spread(frame.perStatistic(mean)));
  if (given) return rough;
  return ops.sub(rough, frame.spread(frame.mean(rough)));
}

function plus(ops: TensorflowOps, a: Tensor, b: Tensor | undefined): Tensor {
  return b ? ops.add(a, b) : a;
}
