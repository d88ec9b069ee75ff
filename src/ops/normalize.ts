import {ones, type Tensor, transpose, zeros} from '@tensorflow/tfjs-core';
import {
  type NormalizeAttributes,
  type Normalized,
  type Parameters,
  packParameters,
  required,
  statisticsCount,
} from '../kernels/contract.js';
import {applyStatisticsGradient, normalizeGradient} from './gradients.js';
import {featuresLayout, inversePermutation, type Layout} from './layout.js';
import {runSavingInputs} from './run_kernel.js';

/** Options of {@link normalize} and {@link applyStatistics}. */
export interface NormalizeOptions extends Parameters {
  /** Added to the variance before its root is taken. */
  readonly epsilon: number;
  /** If true, the mean is subtracted. Defaults to true. */
  readonly subtractMean?: boolean | undefined;
  /**
   * If true, gradients flow through the mean and variance that are returned.
   * Defaults to false: who only watches them need not pay for it.
   */
  readonly differentiableStatistics?: boolean | undefined;
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
    (inputs, attributes) =>
      runSavingInputs(normalizeGradient, inputs, attributes, 3),
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
    runSavingInputs(
      applyStatisticsGradient,
      [required(input), mean, variance, ...rest],
      attributes,
      1,
    ),
  );
  return required(y);
}

/**
 * `x · gamma + beta` for parameters that vary along the given axes and are the
 * same along the others: normalization with a mean of 0 and a variance of 1.
 *
 * @param axes Not negative, ascending; the parameters' own axes, in order.
 */
export function scaleAndShift(
  x: Tensor,
  parameters: Parameters,
  axes: readonly number[],
): Tensor {
  if (!parameters.gamma && !parameters.beta) return x;
  const layout = featuresLayout(x.shape, axes);
  const count = [statisticsCount(layout.view)];
  const options = {...parameters, epsilon: 0, subtractMean: false};
  return applyStatistics(x, zeros(count), ones(count), layout, options);
}

/**
 * Brings x into the view, and the first output back.
 *
 * @param kernel Takes x, gamma and beta, as far as they are there.
 */
function inLayout(
  x: Tensor,
  {permutation, view}: Layout,
  options: NormalizeOptions,
  kernel: (inputs: Tensor[], attributes: NormalizeAttributes) => Tensor[],
): Tensor[] {
  const {
    gamma,
    beta,
    epsilon,
    subtractMean = true,
    differentiableStatistics = false,
  } = options;
  const input = permutation ? transpose(x, [...permutation]) : x;
  const [y, ...others] = kernel([input, ...packParameters({gamma, beta})], {
    view,
    epsilon,
    subtractMean,
    differentiableStatistics,
    scale: gamma !== undefined,
    center: beta !== undefined,
  });
  if (permutation === undefined) return [required(y), ...others];
  const back = inversePermutation(permutation);
  return [transpose(required(y), back), ...others];
}
