import {type TensorInfo, util} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type NormalizeAttributes,
  parametersCount,
  statisticsCount,
} from '../../contract.js';
import {canWalk, geometryOf} from '../../geometry.js';
import {HeapWorkspace} from './heap_workspace.js';
import {instantiate} from '../../simd/module.js';
import {moveIn} from '../../simd/moving.js';
import {normalizeIn} from '../../simd/normalize.js';
import {normalizeGradIn} from '../../simd/normalize_grad.js';
import {wasmHeapOf} from '../../tfjs_private.js';

/** tfjs's wasm backend. */
export const wasm: Backend = {
  name: 'wasm',
  make: (instance) => wasmKernels(instance),
};

/**
 * Kernels for tfjs's wasm backend: they compute in place, on the heap its tensors are
 * on.
 *
 * @throws Error if the heap is out of reach, or if WebAssembly's vectors are missing.
 */
export function wasmKernels(backend: unknown): Fused<TensorInfo> {
  const heap = wasmHeapOf(backend);
  const module = instantiate(heap.memory, heap.shared);

  const compute = <Result>(kernel: (w: HeapWorkspace) => Result): Result => {
    const workspace = new HeapWorkspace(module, heap);
    try {
      return kernel(workspace);
    } finally {
      workspace.free();
    }
  };

  const like = ({shape}: TensorInfo): TensorInfo => heap.makeOutput([...shape]);
  const vectorOf = (length: number): TensorInfo => heap.makeOutput([length]);

  return {
    normalize(x, {gamma, beta}, attributes) {
      const count = statisticsCount(attributes.view);
      const y = like(x);
      const mean = vectorOf(count);
      const variance = vectorOf(count);
      const data = {x, gamma, beta, y, mean, variance};
      compute((w) => normalizeIn(w, data, {...attributes, given: false}));
      return {y, mean, variance};
    },

    applyStatistics(x, mean, variance, {gamma, beta}, attributes) {
      if (!canCompute(attributes, true)) return undefined;
      const y = like(x);
      const data = {x, gamma, beta, y, mean, variance};
      compute((w) => normalizeIn(w, data, {...attributes, given: true}));
      return y;
    },

    normalizeGrad(inputs, attributes) {
      if (!canCompute(attributes, attributes.given)) return undefined;
      const count = parametersCount(attributes.view);
      const dx = like(inputs.x);
      const dgamma = attributes.scale ? vectorOf(count) : undefined;
      const dbeta = attributes.center ? vectorOf(count) : undefined;
      const data = {...inputs, dx, dgamma, dbeta};
      compute((w) => normalizeGradIn(w, data, attributes));
      return {dx, dgamma, dbeta};
    },

    movingStatistics(inputs) {
      const next: [TensorInfo, TensorInfo] = [
        like(inputs.movingMean),
        like(inputs.movingVariance),
      ];
      const length = util.sizeFromShape(inputs.movingMean.shape);
      compute((w) => moveIn(w, inputs, next, length));
      return next;
    },
  };
}

function canCompute(
  {view, scale, center}: NormalizeAttributes,
  given: boolean,
): boolean {
  return canWalk(geometryOf(view, scale || center), given, Infinity);
}
