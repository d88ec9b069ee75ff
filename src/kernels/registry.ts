import {
  getBackend,
  getKernel,
  Identity,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  Reshape,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import {checkInputs} from './check_inputs.js';
import * as composed from './composed.js';
import {fusedFor} from './fused.js';
import type {Fused, Implementation} from './implementation.js';
import {
  APPLY_STATISTICS,
  HOLD,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  viewSize,
} from './contract.js';
import {
  packGradients,
  required,
  unpackGradInputs,
  unpackParameters,
} from './packing.js';
import {onDevice} from './tfjs_private.js';

/**
 * Makes sure that the backend in use has a kernel of this name: its own if it brings
 * one, else one that is fused where it can be and composed from core ops elsewhere. So
 * an op has one way to go, whatever runs.
 */
export function ensureKernel(kernelName: string): void {
  const backendName = getBackend();
  if (findKernel(kernelName, backendName) !== undefined) return;
  const kernelFunc =
    kernelName === HOLD
      ? holdOn(backendName)
      : fusedOrComposed(kernelName, backendName);
  registerKernel({kernelName, backendName, kernelFunc});
}

/** tfjs types the kernel as always there. */
function findKernel(name: string, backend: string): KernelConfig | undefined {
  return getKernel(name, backend);
}

/** Calls a kernel by name with packed inputs; undefined if it cannot. */
type Call = <T>(
  kernels: Fused<T>,
  inputs: readonly T[],
  attributes: object,
) => T[] | undefined;

const CALLS: Readonly<Record<string, Call>> = {
  [NORMALIZE]: (kernels, [x, ...parameters], attributes) => {
    const attrs = attributes as NormalizeAttributes;
    const outputs = kernels.normalize?.(
      required(x),
      unpackParameters(parameters, attrs),
      attrs,
    );
    if (outputs === undefined) return undefined;
    const {y, mean, variance, kept = []} = outputs;
    return [y, mean, variance, ...kept];
  },

  [NORMALIZE_GRAD]: (kernels, inputs, attributes) => {
    const attrs = attributes as NormalizeGradAttributes;
    const named = unpackGradInputs(inputs, attrs);
    const outputs = kernels.normalizeGrad?.(named, attrs);
    return outputs && packGradients(outputs);
  },

  [APPLY_STATISTICS]: (kernels, inputs, attributes) => {
    const attrs = attributes as NormalizeAttributes;
    const [x, mean, variance, ...parameters] = inputs;
    const y = kernels.applyStatistics?.(
      required(x),
      required(mean),
      required(variance),
      unpackParameters(parameters, attrs),
      attrs,
    );
    return y && [y];
  },

  [MOVING_STATISTICS]: (kernels, inputs) => {
    const [movingMean, movingVariance, mean, variance, rate] = inputs;
    return kernels.movingStatistics?.({
      movingMean: required(movingMean),
      movingVariance: required(movingVariance),
      mean: required(mean),
      variance: required(variance),
      rate: required(rate),
    });
  },
};

// The inputs of a kernel are tensors, whatever tfjs's types promise.
const COMPOSED = composed as unknown as Implementation<TensorInfo>;

function fusedOrComposed(kernelName: string, backendName: string): KernelFunc {
  const call = required(CALLS[kernelName]);
  return ({inputs, attrs, backend}) => {
    const list = Object.values(inputs).map(required);
    const attributes = attrs ?? {};
    checkInputs(kernelName, list, attributes);
    const fused = fits(list, attributes)
      ? call(fusedFor(backendName, backend), list, attributes)
      : undefined;
    // Core ops inside a kernel are off the tape; the tidy leaves only its outputs.
    return (
      fused ??
      onDevice(() =>
        tidy((): never => call(COMPOSED, list, attributes) as never),
      )
    );
  };
}

/** An empty tensor is the composed kernels' business, and so are other types. */
function fits(inputs: readonly TensorInfo[], attributes: object): boolean {
  const {view} = attributes as Partial<NormalizeAttributes>;
  return (
    (view === undefined || viewSize(view) > 0) &&
    inputs.every(({dtype}) => dtype === 'float32')
  );
}

/** Another tensor with the same values. To clone, wasm copies; to reshape, it does not. */
function holdOn(backendName: string): KernelFunc {
  const aliasing = backendName === 'wasm' ? Reshape : Identity;
  return ({inputs, backend}) => {
    const list = Object.values(inputs).map(required);
    checkInputs(HOLD, list, {});
    const x = required(list[0]);
    const {kernelFunc} = required(findKernel(aliasing, backendName));
    return kernelFunc({inputs: {x}, attrs: {shape: [...x.shape]}, backend});
  };
}
