import {
  engine,
  keep,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {HOLD, required} from '../kernels/contract.js';
import {ensureKernel} from '../kernels/registry.js';
import {latestTapeNode} from '../kernels/tfjs_private.js';

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

/** The gradients' configurations, as tfjs reads them at every step that it records. */
interface SavesInputs {
  /** If true, tfjs saves clones of all inputs. */
  saveAllInputs: boolean;
}

/**
 * Runs a kernel whose gradient needs all of its inputs. On the tape they are kept by
 * holding on to them: a clone, as tfjs would save it, is a copy of all values on wasm.
 * So is what the kernel gives beyond its `outputs`, for its gradient alone: for an output
 * that nothing depends on tfjs would make zeros of its size.
 *
 * @param gradient The kernel's registered gradient.
 * @param outputs How many outputs the kernel has.
 */
export function runSavingInputs(
  gradient: SavesInputs & {readonly kernelName: string},
  inputs: readonly Tensor[],
  attributes: object,
  outputs: number,
): Tensor[] {
  const {kernelName} = gradient;
  if (!engine().isTapeOn()) return runKernel(kernelName, inputs, attributes);
  const held = inputs.map(hold);
  const recorded = latestTapeNode(HOLD) !== undefined;
  let results: Tensor[];
  try {
    gradient.saveAllInputs = !recorded;
    results = runKernel(kernelName, inputs, {...attributes, recorded});
  } finally {
    gradient.saveAllInputs = true;
  }
  if (!recorded) return results;
  const node = latestTapeNode(kernelName);
  const kept = node?.outputs.splice(outputs) ?? [];
  node?.saved.unshift(...held.map(keep));
  node?.saved.push(...kept.map(keep));
  return results.slice(0, outputs);
}

function hold(x: Tensor): Tensor {
  const [held] = [runKernel(HOLD, [x])].flat();
  return required(held);
}
