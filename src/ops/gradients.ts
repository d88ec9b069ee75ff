import {
  clone,
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
  HOLD,
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

/** The gradient of Normalize. */
export const normalizeGradient = {
  kernelName: NORMALIZE,
  saveAllInputs: true,
  // Of y nothing is needed. tfjs hides saved outputs from an outer gradient.
  outputsToSave: [false, true, true],
  gradFunc: (upstream, saved, attrs) => {
    const attributes = attrs as unknown as NormalizeAttributes;
    const [dy, dmean, dvariance] = upstream as Tensor[];
    const {x, mean, variance, gamma, beta, kept} = unpackSaved(
      saved,
      attributes,
    );
    const inputs = {
      dy: required(dy),
      ...(attributes.statistics ? {dmean, dvariance} : {}),
      x,
      mean,
      variance,
      gamma,
      kept,
    };
    const {dx, ...rest} = normalizeGrad(inputs, {...attributes, given: false});
    return positions([() => dx, ...parameterGradients(rest, {gamma, beta})]);
  },
} satisfies GradConfig;

/** The gradient of ApplyStatistics. */
export const applyStatisticsGradient = {
  kernelName: APPLY_STATISTICS,
  saveAllInputs: true,
  gradFunc: (upstream, saved, attrs) => {
    const attributes = attrs as unknown as NormalizeAttributes;
    const [first, second, third, ...others] = saved;
    const [x, mean, variance] = [first, second, third].map(required) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const {gamma, beta} = unpackParameters(others, attributes);
    const [dy] = [upstream].flat();
    const {dx, ...rest} = normalizeGrad(
      {dy: required(dy), x, mean, variance, gamma},
      {...attributes, statistics: false, given: true},
    );
    // Lazy: a layer's statistics are constants, and then this never runs.
    const throughStatistics = (): {dmean: Tensor; dvariance: Tensor} =>
      statisticsGrad(dx, x, mean, variance, attributes);
    return positions([
      () => dx,
      () => throughStatistics().dmean,
      () => throughStatistics().dvariance,
      ...parameterGradients(rest, {gamma, beta}),
    ]);
  },
} satisfies GradConfig;

registerGradient(normalizeGradient);
registerGradient(applyStatisticsGradient);
registerGradient({
  kernelName: HOLD,
  gradFunc: (dy) => positions([() => clone(required([dy].flat()[0]))]),
});

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
  {dgamma, dbeta}: Omit<Gradients, 'dx'>,
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
  return Object.fromEntries(gradients.map((gradient, i) => [i, gradient]));
}
