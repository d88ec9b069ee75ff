import {readFileSync} from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';

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
  // As tfjs does it; it fails where the manifest is malformed.
  const weightSpecs = tf.io.getWeightSpecs(copy.weightsManifest);
  return {...copy, weightSpecs, weightData: bytes.buffer};
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

/** What a loaded model predicts. */
export function predictionsOf(
  given: KerasCase,
  model: tf.LayersModel,
): tf.Tensor[] {
  return [model.predict(inputsOf(given, model))].flat();
}

/**
 * The largest difference, as a part of the largest value or of 1; infinite where
 * there is not as much, NaN where one is no number.
 */
export function worstOf(
  actual: ArrayLike<number>,
  expected: readonly number[],
): number {
  if (actual.length !== expected.length) return Infinity;
  const scale = Math.max(1, ...expected.map(Math.abs));
  const gaps = expected.map((value, i) => Math.abs(value - (actual[i] ?? NaN)));
  return Math.max(0, ...gaps) / scale;
}

/**
 * Fails unless a model is translated, leaving nothing, loads, and predicts what
 * Keras does: within 1e-5 of the largest value, which a hundred roundings on the
 * way through its layers stay below.
 */
export async function expectSamePredictions(given: KerasCase): Promise<void> {
  const {numTensors} = tf.memory();
  const handler = fromKeras(handlerOf(artifactsIn(given)));
  const artifacts = (await handler.load?.()) ?? {};
  // Not after tf.js has loaded it: that leaves tensors of stacked cells behind.
  expect(tf.memory().numTensors).toBe(numTensors);
  const model = await tf.loadLayersModel(handlerOf(artifacts));
  expectPredictions(given, predictionsOf(given, model));
}

/** Fails unless these are what Keras predicts. */
export function expectPredictions(
  given: KerasCase,
  outputs: readonly tf.Tensor[],
): void {
  expect(outputs.map(({shape}) => shape)).toEqual(
    given.outputs.map(({shape}) => shape),
  );
  outputs.forEach((output, i) => {
    const expected = given.outputs[i]?.values ?? [];
    expect(worstOf(output.dataSync(), expected)).toBeLessThan(1e-5);
  });
}
