import {type Tensor, zerosLike} from '@tensorflow/tfjs-core';
import {takesPerOuter} from '../kernels/registry.js';
import type {Parameters} from '../kernels/contract.js';
import {examplesLayout, type Layout} from './layout.js';
import {applyStatistics, normalize, scaleAndShift} from './normalize.js';

/** Options of {@link normalizeExamples}. */
export interface ExampleNormOptions extends Parameters {
  /** The axes that are normalized: not negative, ascending. */
  readonly axes: readonly number[];
  readonly epsilon: number;
  /** If true, the mean is subtracted. Defaults to true. */
  readonly subtractMean?: boolean | undefined;
}

/** Normalizes each example by itself, over the given axes. */
export function normalizeExamples(
  x: Tensor,
  {axes, epsilon, subtractMean, ...parameters}: ExampleNormOptions,
): Tensor {
  return inView(
    x,
    axes,
    parameters,
    (layout, own) => normalize(x, layout, {epsilon, subtractMean, ...own}).y,
  );
}

/**
 * Divides each example by its standard deviation over the given axes, without
 * centering it: `x / sqrt(variance + epsilon) · gamma`.
 */
export function scaleExamples(
  x: Tensor,
  {axes, epsilon, gamma}: Omit<ExampleNormOptions, 'subtractMean' | 'beta'>,
): Tensor {
  // tf.js's sums take no empty tensor on GPUs.
  if (x.size === 0) return normalizeExamples(x, {axes, epsilon, gamma});
  return inView(x, axes, {gamma}, (layout, own) => {
    const {variance} = normalize(x, layout, {
      epsilon,
      differentiableStatistics: true,
    });
    return applyStatistics(x, zerosLike(variance), variance, layout, {
      epsilon,
      subtractMean: false,
      ...own,
    });
  });
}

/**
 * Computes in the view of x, with the parameters if the view says them. If it does not,
 * they are applied in a second one.
 */
function inView(
  x: Tensor,
  axes: readonly number[],
  parameters: Parameters,
  compute: (layout: Layout, parameters: Parameters) => Tensor,
): Tensor {
  const layout = examplesLayout(x.shape, axes, takesPerOuter());
  return layout.view.perOuter || layout.view.group === 1
    ? compute(layout, parameters)
    : scaleAndShift(compute(layout, {}), parameters, axes);
}
