import {
  engine,
  keep,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {HOLD} from '../kernels/kernels.js';
import {ensureKernel} from '../kernels/registry.js';
import {required} from '../kernels/packing.js';
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
  /** Whether tfjs is to save clones of all inputs. */
  saveAllInputs: boolean;
}

/**
 * Runs a kernel whose gradient needs all of its inputs. On the tape they are kept by
 * holding on to them: a clone, as tfjs would save it, is a copy of all values on wasm.
 *
 * @param gradient The kernel's registered gradient.
 */
export function runSavingInputs(
  gradient: SavesInputs & {readonly kernelName: string},
  inputs: readonly Tensor[],
  attributes: object,
): Tensor[] {
  const {kernelName} = gradient;
  if (!engine().isTapeOn()) return runKernel(kernelName, inputs, attributes);
  const held = inputs.map(hold);
  gradient.saveAllInputs = latestTapeNode(HOLD) === undefined;
  const outputs = runKernel(kernelName, inputs, attributes);
  if (!gradient.saveAllInputs) {
    latestTapeNode(kernelName)?.saved.unshift(...held.map(keep));
  }
  return outputs;
}

function hold(x: Tensor): Tensor {
  const [held] = [runKernel(HOLD, [x])].flat();
  return required(held);
}
