import {ones, type Tensor, type TensorInfo, zeros} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type MovingInputs,
  type NormalizeAttributes,
  type Normalized,
  type Parameters,
  statisticsCount,
} from '../../contract.js';
import {opRunnerOf, preparedOpsOf} from '../../tfjs_private.js';
import {Frame} from './frame.js';
import {normalizeGrad} from './gradient.js';
import {nativeKernels} from './native.js';
import {withNativeOps} from './native_package.js';
import {
  affine,
  applyBatchNorm,
  batchNorm,
  type Statistics,
  wayOf,
} from './batch_norm.js';
import {TensorflowOps} from './ops.js';

/** tfjs-node's backend. */
export const tensorflow: Backend = {
  name: 'tensorflow',
  make: (instance) => {
    const ops = preparedOpsOf(instance);
    const native = withNativeOps(() => nativeKernels(ops));
    // This backend's kernels are given tensors, and may give tensors.
    return (native ??
      tensorflowKernels(instance)) as unknown as Fused<TensorInfo>;
  },
};

/**
 * Kernels for tfjs-node: TensorFlow's own batch normalization where that is faster, and
 * as few passes over the data as its other ops allow for.
 *
 * @throws Error if the op runner is out of reach, or computes on a GPU.
 */
export function tensorflowKernels(backend: unknown): Fused<Tensor> {
  const ops = new TensorflowOps(opRunnerOf(backend));
  return {
    normalize: (x, parameters, attributes) =>
      ops.tidy(() => normalize(ops, x, parameters, attributes)),

    applyStatistics: (x, mean, variance, parameters, attributes) => {
      const statistics = {mean, variance};
      return ops.tidy(() => ({
        y: applyStatistics(ops, x, statistics, parameters, attributes),
      })).y;
    },

    normalizeGrad: (inputs, attributes) =>
      ops.tidy(() => normalizeGrad(ops, inputs, attributes)),

    movingStatistics: (inputs) => {
      const {mean, variance} = ops.tidy(() => moveStatistics(ops, inputs));
      return [mean, variance];
    },
  };
}

function normalize(
  ops: TensorflowOps,
  x: Tensor,
  parameters: Parameters,
  {view, epsilon, subtractMean, recorded}: NormalizeAttributes,
): Normalized {
  const own = true;
  if (wayOf({view, subtractMean}, own) === 'fused op') {
    const result = batchNorm(ops, x, parameters, view.group, epsilon);
    return recorded ? result : {...result, kept: undefined};
  }
  const frame = new Frame(ops, view);
  let deviation = frame.whole(x);
  let mean: Tensor = zeros([statisticsCount(view)]);
  if (subtractMean) {
    // One value of the data is subtracted first, so that the sums are of small numbers:
    // where the mean is large, the variance has no digits left otherwise.
    const origin = frame.first(deviation);
    const shifted = ops.sub(deviation, frame.spread(origin));
    const offset = frame.mean(shifted);
    mean = ops.add(origin, offset);
    deviation = ops.sub(shifted, frame.spread(offset));
    // The next result goes where something is freed early, still in the cache.
    shifted.dispose();
  }
  const variance = frame.meanOfSquares(deviation);
  const inverse = ops.inverseRoot(variance, epsilon);
  const y = scaleAndShift(ops, frame, deviation, inverse, parameters);
  return {
    y: ops.reshape(y, x.shape),
    mean,
    variance,
    kept:
      recorded && subtractMean
        ? {tag: 'simple ops', tensors: [deviation]}
        : undefined,
  };
}

function applyStatistics(
  ops: TensorflowOps,
  x: Tensor,
  statistics: Statistics,
  parameters: Parameters,
  {view, epsilon, subtractMean}: NormalizeAttributes,
): Tensor {
  const own = false;
  if (wayOf({view, subtractMean}, own) === 'fused op') {
    return applyBatchNorm(ops, x, statistics, parameters, epsilon);
  }
  const {mean, variance} = statistics;
  const frame = new Frame(ops, view);
  const input = frame.whole(x);
  const inverse = ops.inverseRoot(frame.perStatistic(variance), epsilon);
  const deviation = subtractMean
    ? ops.sub(input, frame.spread(frame.perStatistic(mean)))
    : input;
  const y = scaleAndShift(ops, frame, deviation, inverse, parameters);
  return ops.reshape(y, x.shape);
}

function scaleAndShift(
  ops: TensorflowOps,
  frame: Frame,
  deviation: Tensor,
  inverse: Tensor,
  {gamma, beta}: Parameters,
): Tensor {
  const scale = gamma && frame.perParameter(gamma);
  const shift = beta && frame.perParameter(beta);
  const each = frame.spread(inverse);
  if (frame.hasCommonAxes) {
    // One small product instead of two large ones.
    const weight = scale ? ops.mul(each, scale) : each;
    return affine(ops, deviation, weight, shift);
  }
  const normalized = ops.mul(deviation, each);
  const y = affine(ops, normalized, scale, shift);
  if (y !== normalized) normalized.dispose();
  return y;
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
