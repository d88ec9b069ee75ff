import {readFileSync} from 'node:fs';
import * as tf from '@tensorflow/tfjs';

/* Models that Keras wrote; test/fixtures/make_models.py says how. */

interface Values {
  readonly shape: number[];
  readonly values: number[];
}

/** A model as its file has it, inputs, and what Keras gives for them. */
export interface KerasCase {
  readonly name: string;
  readonly model: tf.io.ModelJSON;
  /** The shards, one after the other, in base 64. */
  readonly weights: string;
  readonly inputs: Values[];
  readonly outputs: Values[];
}

export function readCases(file: string): KerasCase[] {
  return JSON.parse(readFileSync(file, 'utf8')) as KerasCase[];
}

/** The artifacts of a model's file, in objects of their own. */
export function artifactsIn({model, weights}: KerasCase): tf.io.ModelArtifacts {
  const copy = structuredClone(model);
  const bytes = Uint8Array.from(Buffer.from(weights, 'base64'));
  return {
    ...copy,
    weightSpecs: copy.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes.buffer,
  };
}

/** A handler that loads artifacts. */
export function handlerOf(artifacts: tf.io.ModelArtifacts): tf.io.IOHandler {
  return {load: () => Promise.resolve(artifacts)};
}

/** The inputs of a case as tensors, of the types that the model has. */
export function inputsOf(
  {inputs}: KerasCase,
  model: tf.LayersModel,
): tf.Tensor[] {
  return inputs.map(({values, shape}, i) =>
    tf.tensor(values, shape, model.inputs[i]?.dtype),
  );
}
