import {
  backend,
  dispose,
  engine,
  keep,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type {NormalizeAttributes} from '../kernels/contract.js';
import {ensureKernel} from '../kernels/registry.js';
import {latestTapeNode, recordsOneGradient} from '../kernels/tfjs_private.js';

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

/** A gradient's configuration, of which tfjs reads at every step what it is to save. */
interface Saving {
  readonly kernelName: string;
  saveAllInputs: boolean;
  outputsToSave: boolean[];
}

/**
 * Runs a kernel whose gradient needs its inputs and some of its outputs.
 *
 * tfjs would save clones of them, each by a kernel, and on wasm a clone is a copy of all
 * values. On the tape of one gradient other tensors of the same data are saved instead, and
 * with them what the kernel gives beyond its `outputs`, for its gradient alone. Outputs that
 * nothing depends on are taken off the tape: tfjs would make zeros of their size.
 *
 * @param gradient The kernel's registered gradient.
 * @param outputs How many outputs the kernel has.
 */
export function runSavingInputs(
  gradient: Saving,
  inputs: readonly Tensor[],
  attributes: NormalizeAttributes,
  outputs: number,
): Tensor[] {
  const {kernelName, outputsToSave} = gradient;
  const run = (recorded: boolean): Tensor[] =>
    runKernel(kernelName, inputs, {...attributes, recorded});
  if (!recordsOneGradient()) return run(false);
  let results: Tensor[];
  try {
    gradient.saveAllInputs = false;
    gradient.outputsToSave = [];
    results = run(true);
  } finally {
    gradient.saveAllInputs = true;
    gradient.outputsToSave = outputsToSave;
  }
  const node = latestTapeNode(kernelName);
  if (node === undefined) {
    dispose(results);
    return run(false);
  }
  const own = results.slice(0, outputs);
  const saved = own.filter((_, i) => outputsToSave[i]);
  node.saved.push(
    ...[...inputs, ...saved].map(hold),
    ...results.slice(outputs).map(keep),
  );
  node.outputs.length = attributes.differentiableStatistics ? outputs : 1;
  return own;
}

/** Makes another tensor with the same data, for the tape. */
function hold(x: Tensor): Tensor {
  backend().incRef(x.dataId);
  return keep(engine().makeTensorFromTensorInfo(x));
}
