import {createRequire} from 'node:module';
import * as tf from '@tensorflow/tfjs';
import type {Installation} from 'tfjs-normalization-native';

interface NodeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeMultipleOutputs(
    op: string,
    attributes: object[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

const backendOf = (): NodeBackend => tf.backend() as unknown as NodeBackend;

/** Node's own require, since an addon knows one instance of itself. */
const {install} = createRequire(__filename)('tfjs-normalization-native') as {
  readonly install: () => Installation;
};

let installed: Installation | undefined;

/** The addon that the kernels compute with. tfjs-node must be loaded. */
export function addon(): Installation {
  installed ??= install();
  return installed;
}

/** Runs a native op by its name, with no check before it. */
export function runOp(
  name: string,
  inputs: tf.Tensor[],
  view: number[],
  epsilon: number,
  outputs: number,
): tf.Tensor[] {
  // TensorFlow knows the ops from then on, whatever test is the first.
  addon();
  const {binding} = backendOf();
  const attributes = [
    {name: 'N', type: binding.TF_ATTR_INT, value: inputs.length},
    {name: 'view', type: binding.TF_ATTR_INT, value: view},
    {name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon},
  ];
  return backendOf().executeMultipleOutputs(
    `TfjsNormalizationV1${name}`,
    attributes,
    inputs,
    outputs,
  );
}

/** The names of this package's ops that a function runs, in order. */
export function opsOf(run: () => unknown): string[] {
  const spy = jest.spyOn(backendOf(), 'executeMultipleOutputs');
  try {
    tf.tidy(() => void run());
    return spy.mock.calls
      .map(([name]) => name)
      .filter((name) => name.startsWith('TfjsNormalization'));
  } finally {
    spy.mockRestore();
  }
}
