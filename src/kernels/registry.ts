import {
  getBackend,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import * as composed from './composed.js';
import {
  APPLY_STATISTICS,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
} from './kernels.js';
import {
  packGradients,
  required,
  unpackGradInputs,
  unpackParameters,
} from './packing.js';

type Compute = (inputs: readonly Tensor[], attributes: unknown) => Tensor[];

/**
 * Makes sure that the backend in use has a kernel of this name: one that it does
 * not bring itself is composed from core ops. So an op has one way to go,
 * whatever runs.
 */
export function ensureKernel(kernelName: string): void {
  const backendName = getBackend();
  if (hasKernel(kernelName, backendName)) return;
  const compute = COMPOSED[kernelName];
  if (compute === undefined) throw new Error(`no kernel named ${kernelName}`);
  registerKernel({kernelName, backendName, kernelFunc: asKernel(compute)});
}

/** tfjs types the kernel as always there. */
function hasKernel(kernelName: string, backendName: string): boolean {
  const found = getKernel(kernelName, backendName) as KernelConfig | undefined;
  return found !== undefined;
}

const COMPOSED: Readonly<Record<string, Compute>> = {
  [NORMALIZE]: ([x, ...parameters], attributes) => {
    const attrs = attributes as NormalizeAttributes;
    const {y, mean, variance} = composed.normalize(
      required(x),
      unpackParameters(parameters, attrs),
      attrs,
    );
    return [y, mean, variance];
  },

  [NORMALIZE_GRAD]: (inputs, attributes) => {
    const attrs = attributes as NormalizeGradAttributes;
    const named = unpackGradInputs(inputs, attrs);
    return packGradients(composed.normalizeGrad(named, attrs));
  },

  [APPLY_STATISTICS]: ([x, mean, variance, ...parameters], attributes) => {
    const attrs = attributes as NormalizeAttributes;
    return [
      composed.applyStatistics(
        required(x),
        required(mean),
        required(variance),
        unpackParameters(parameters, attrs),
        attrs,
      ),
    ];
  },

  [MOVING_STATISTICS]: ([movingMean, movingVariance, mean, variance, rate]) =>
    composed.movingStatistics(
      required(movingMean),
      required(movingVariance),
      required(mean),
      required(variance),
      required(rate),
    ),
};

/** Core ops inside a kernel are off the tape; the tidy leaves only its outputs. */
function asKernel(compute: Compute): KernelFunc {
  return ({inputs, attrs}) =>
    tidy(() => compute(Object.values(inputs) as Tensor[], attrs));
}
