import './gradients.js';
import {type Tensor, transpose} from '@tensorflow/tfjs-core';
import {
  APPLY_STATISTICS,
  NORMALIZE,
  type NormalizeAttributes,
} from '../kernels/kernels.js';
import {
  type Normalized,
  packParameters,
  type Parameters,
  required,
} from '../kernels/packing.js';
import {inversePermutation, type Layout} from './layout.js';
import {runKernel} from './run_kernel.js';
import {scaleAndShift} from './scale_and_shift.js';

/** Options of {@link normalize} and {@link applyStatistics}. */
export interface NormalizeOptions extends Parameters {
  /** Added to the variance before its root is taken. */
  readonly epsilon: number;
  /** Whether the mean is subtracted. Defaults to true. */
  readonly centered?: boolean | undefined;
  /**
   * Whether gradients flow through the mean and variance that are returned.
   * Defaults to false: who only watches them need not pay for it.
   */
  readonly statistics?: boolean | undefined;
}

/**
 * x normalized with its own statistics, in the given layout:
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`.
 *
 * Differentiable to any order in x, gamma and beta. The variance is biased. Mean
 * and variance have one value per statistic; their shape is the backend's.
 *
 * @param x A float32 tensor of the layout's size.
 */
export function normalize(
  x: Tensor,
  layout: Layout,
  options: NormalizeOptions,
): Normalized {
  const [y, mean, variance] = inLayout(
    x,
    layout,
    options,
    (inputs, attributes) => runKernel(NORMALIZE, inputs, attributes),
  );
  return {
    y: required(y),
    mean: required(mean),
    variance: required(variance),
  };
}

/**
 * x normalized with the statistics given, in the given layout. Differentiable to
 * any order in all of its tensors.
 *
 * @param x A float32 tensor of the layout's size.
 * @param mean One value per statistic, in any shape; so is `variance`.
 */
export function applyStatistics(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  layout: Layout,
  options: NormalizeOptions,
): Tensor {
  const [y] = inLayout(x, layout, options, ([input, ...rest], attributes) =>
    runKernel(
      APPLY_STATISTICS,
      [required(input), mean, variance, ...rest],
      attributes,
    ),
  );
  return required(y);
}

/**
 * Brings x into the view and the first output back, and applies gamma and beta
 * where the view cannot say them.
 *
 * @param kernel Takes x, gamma and beta, as far as they are there.
 */
function inLayout(
  x: Tensor,
  {permutation, parametersShape, view}: Layout,
  options: NormalizeOptions,
  kernel: (inputs: Tensor[], attributes: NormalizeAttributes) => Tensor[],
): Tensor[] {
  const {gamma, beta, epsilon, centered = true, statistics = false} = options;
  const inView = parametersShape === undefined ? {gamma, beta} : {};
  const input = permutation ? transpose(x, [...permutation]) : x;
  const [output, ...others] = kernel([input, ...packParameters(inView)], {
    view,
    epsilon,
    centered,
    statistics,
    scale: inView.gamma !== undefined,
    center: inView.beta !== undefined,
  });
  const y = permutation
    ? transpose(required(output), inversePermutation(permutation))
    : required(output);
  if (parametersShape === undefined) return [y, ...others];
  const shapes = {gamma: parametersShape, beta: parametersShape};
  return [scaleAndShift(y, {gamma, beta}, shapes), ...others];
}
