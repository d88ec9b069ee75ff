import {
  engine,
  type GradConfig,
  registerGradient,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  normalizeGrad as composedNormalizeGrad,
  statisticsGrad,
} from '../kernels/composed.js';
import {reshapeTo} from '../kernels/frame.js';
import {
  APPLY_STATISTICS,
  type GradInputs,
  type Gradients,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type Parameters,
  packGradInputs,
  required,
  unpackGradients,
  unpackParameters,
  unpackSaved,
} from '../kernels/contract.js';
import {runKernel} from './run_kernel.js';
import {listOf} from '../util/at.js';

/** The gradient of Normalize. */
export const normalizeGradient = {
  kernelName: NORMALIZE,
  saveAllInputs: true,
  // Of y nothing is needed. tfjs hides saved outputs from an outer gradient.
  outputsToSave: [false, true, true],
  gradFunc: (upstream, saved, attrs) => {
    const attributes = attrs as unknown as NormalizeAttributes;
    const [dy, dmean, dvariance] = listOf(upstream);
    const flows = attributes.differentiableStatistics ? {dmean, dvariance} : {};
    const known = unpackSaved(saved, attributes);
    const inputs = {...known, ...flows, dy: required(dy)};
    const gradients = normalizeGrad(inputs, {...attributes, given: false});
    return positions([
      () => gradients.dx,
      ...parameterGradients(gradients, known),
    ]);
  },
} satisfies GradConfig;

/** The gradient of ApplyStatistics. */
export const applyStatisticsGradient = {
  kernelName: APPLY_STATISTICS,
  saveAllInputs: true,
  outputsToSave: [] as boolean[],
  gradFunc: (upstream, saved, attrs) => {
    const attributes = attrs as unknown as NormalizeAttributes;
    const [x, mean, variance, ...others] = saved as [Tensor, Tensor, Tensor];
    const {gamma, beta} = unpackParameters(others, attributes);
    const [dy] = listOf(upstream);
    const gradients = normalizeGrad(
      {dy: required(dy), x, mean, variance, gamma},
      {...attributes, differentiableStatistics: false, given: true},
    );
    const {dx} = gradients;
    // Lazy: a layer's statistics are constants, and then this never runs.
    const throughStatistics = (): {dmean: Tensor; dvariance: Tensor} =>
      statisticsGrad(dx, x, mean, variance, attributes);
    return positions([
      () => dx,
      () => throughStatistics().dmean,
      () => throughStatistics().dvariance,
      ...parameterGradients(gradients, {gamma, beta}),
    ]);
  },
} satisfies GradConfig;

registerGradient(normalizeGradient);
registerGradient(applyStatisticsGradient);

/**
 * The gradient by the backend's kernel; composed from core ops while an outer
 * gradient records, so that it can be differentiated again.
 */
function normalizeGrad(
  inputs: GradInputs,
  attributes: NormalizeGradAttributes,
): Gradients {
  if (engine().isTapeOn()) {
    return tidy(() => ({...composedNormalizeGrad(inputs, attributes, true)}));
  }
  return unpackGradients(
    runKernel(NORMALIZE_GRAD, packGradInputs(inputs), attributes),
    attributes,
  );
}

function parameterGradients(
  {dgamma, dbeta}: Gradients,
  {gamma, beta}: Parameters,
): Array<() => Tensor> {
  return [
    ...(gamma ? [() => reshapeTo(required(dgamma), gamma.shape)] : []),
    ...(beta ? [() => reshapeTo(required(dbeta), beta.shape)] : []),
  ];
}

/** Gradients by the position of their input, as tfjs wants them for an array. */
function positions(
  gradients: Array<() => Tensor>,
): Record<string, () => Tensor> {
  return gradients as unknown as Record<string, () => Tensor>;
}
