import {
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {ensureKernel} from '../kernels/registry.js';

/** Runs a kernel of this package on the backend in use, on or off the tape. */
export function runKernel(
  kernelName: string,
  inputs: readonly Tensor[],
  attributes: object = {},
): Tensor[] {
  ensureKernel(kernelName);
  // tfjs's types know neither inputs in an array nor attributes in an object.
  return engine().runKernel(
    kernelName,
    inputs as unknown as NamedTensorMap,
    attributes as NamedAttrMap,
  ) as unknown as Tensor[];
}
