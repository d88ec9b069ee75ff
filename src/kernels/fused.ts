import {backend, env, getBackend, type TensorInfo} from '@tensorflow/tfjs-core';
import {cpuKernels} from './backends/cpu/kernels.js';
import type {Fused} from './implementation.js';
import {tensorflowKernels} from './backends/tensorflow/kernels.js';
import {wasmKernels} from './backends/wasm/kernels.js';

/** The flag of `tf.env()` that switches fused kernels off. */
const FLAG = 'NORMALIZATION_FUSED';

env().registerFlag(FLAG, () => true);

const MAKERS = new Map<string, (backend: unknown) => Fused<TensorInfo>>([
  ['cpu', cpuKernels],
  ['tensorflow', tensorflowKernels],
  ['wasm', wasmKernels],
]);

/** A backend that is removed takes its own with it. */
const made = new WeakMap<object, Fused<TensorInfo>>();

const NONE: Fused<TensorInfo> = {};

/**
 * The fused kernels of a backend instance: none where they are switched off, where
 * there are none for such a backend, or where they cannot be made. One warning then
 * says why, and the composed kernels run.
 */
export function fusedFor(name: string, backend: object): Fused<TensorInfo> {
  if (!env().getBool(FLAG)) return NONE;
  const known = made.get(backend);
  if (known !== undefined) return known;
  const fused = make(name, backend);
  made.set(backend, fused);
  return fused;
}

/** Whether the backend in use has fused kernels, which cost one call each. */
export function hasFusedKernels(): boolean {
  return fusedFor(getBackend(), backend()) !== NONE;
}

function make(name: string, backend: object): Fused<TensorInfo> {
  const maker = MAKERS.get(name);
  if (maker === undefined) return NONE;
  try {
    return maker(backend);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.warn(
      `tfjs-normalization: the backend ${name} computes with tfjs's own ` +
        `operations, which is slower; the kernels made for it cannot be used ` +
        `here: ${why}`,
    );
    return NONE;
  }
}
