import {readFileSync} from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {trainsStockLayers} from '../../support/stock_training.js';
import {expectCloseNow} from '../../support/close.js';

/* Models that Keras wrote, with test/fixtures/make_models.py. */

interface Values {
  readonly shape: number[];
  readonly values: number[];
}

/** A model as in its file, inputs, and Keras's outputs for them. */
export interface KerasCase {
  readonly name: string;
  readonly model: tf.io.ModelJSON;
  /** The concatenated shards, in base 64. */
  readonly weights: string;
  readonly inputs: Values[];
  readonly outputs: Values[];
}

export function readCases(file: string): KerasCase[] {
  return JSON.parse(readFileSync(file, 'utf8')) as KerasCase[];
}

/** Returns the artifacts of a model's file, in new objects. */
export function artifactsIn({model, weights}: KerasCase): tf.io.ModelArtifacts {
  const copy = structuredClone(model);
  const bytes = Uint8Array.from(Buffer.from(weights, 'base64'));
  // As tfjs does it; this fails if the manifest is malformed.
  const weightSpecs = tf.io.getWeightSpecs(copy.weightsManifest);
  return {...copy, weightSpecs, weightData: bytes.buffer};
}

/** Returns a handler that loads artifacts. */
export function handlerOf(artifacts: tf.io.ModelArtifacts): tf.io.IOHandler {
  return {load: () => Promise.resolve(artifacts)};
}

/** Loads the model of a case. */
export function loadCase(given: KerasCase): Promise<tf.LayersModel> {
  return tf.loadLayersModel(fromKeras(handlerOf(artifactsIn(given))));
}

/** Returns the inputs of a case as tensors of the model's types. */
export function inputsOf(
  {inputs}: KerasCase,
  model: tf.LayersModel,
): tf.Tensor[] {
  return inputs.map(({values, shape}, i) =>
    tf.tensor(values, shape, model.inputs[i]?.dtype),
  );
}

/** Returns a loaded model's predictions. */
export function predictionsOf(
  given: KerasCase,
  model: tf.LayersModel,
): tf.Tensor[] {
  return [model.predict(inputsOf(given, model))].flat();
}

/**
 * Returns the largest difference, relative to the largest value or to 1;
 * infinite if the lengths differ, NaN if a value is NaN.
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
 * Keras does: within a hundred roundings of the largest value, on the way through its
 * layers.
 */
export async function expectSamePredictions(given: KerasCase): Promise<void> {
  const {numTensors} = tf.memory();
  const handler = fromKeras(handlerOf(artifactsIn(given)));
  const artifacts = (await handler.load?.()) ?? {};
  // Checked before tf.js loads it, which leaks tensors of stacked cells.
  expect(tf.memory().numTensors).toBe(numTensors);
  const model = await tf.loadLayersModel(handlerOf(artifacts));
  expectPredictions(given, predictionsOf(given, model));
}

/** Fails unless these are the same, as far as a hundred roundings let them. */
export function expectSame(
  actual: ArrayLike<number>,
  expected: readonly number[],
): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  expectCloseNow(actual, expected, {
    what: 'a prediction',
    roundings: 100,
    scale,
  });
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
    expectSame(output.dataSync(), expected);
  });
}

/**
 * Kernels that tf.js needs for gradients of its own layers, and that wasm
 * lacks.
 */
const NOT_ON_WASM =
  /^Kernel '(Conv2DBackpropFilter|DepthwiseConv2dNativeBackpropInput|UnsortedSegmentSum)' not registered for backend 'wasm'$/;

/**
 * Fails unless a model can be trained, as far as the backend supports it: a
 * step has a finite loss, and gradients reach its inputs, and so all later
 * layers.
 */
export async function expectTrains(
  given: KerasCase,
  model: tf.LayersModel,
): Promise<void> {
  trainsStockLayers();
  try {
    await checkStep(given, model);
  } catch (error) {
    if (!NOT_ON_WASM.test((error as Error).message)) throw error;
  }
}

async function checkStep(
  given: KerasCase,
  model: tf.LayersModel,
): Promise<void> {
  const inputs = inputsOf(given, model);
  const targets = given.outputs.map(({values, shape}) => {
    const gaps = tf.sin(tf.range(0, values.length)).reshape(shape);
    return tf.add(tf.tensor(values, shape), gaps);
  });
  const lossOf = (...xs: tf.Tensor[]): tf.Scalar => {
    const made = [model.apply(xs, {training: true})].flat() as tf.Tensor[];
    const gaps = made.map((y, i) => tf.sub(y, targets[i] as tf.Tensor));
    const losses = gaps.map((gap) => tf.mean(tf.square(gap)));
    // Some inputs are not used.
    const nothing = xs.map((x) => tf.mul(0, tf.sum(x)));
    return tf.addN([...losses, ...nothing]).asScalar();
  };
  // tf.js has no gradient of the operations that compute masks.
  const isMasking = model.layers.some((l) => l.getClassName() === 'Masking');
  if (!isMasking && inputs.every(({dtype}) => dtype === 'float32')) {
    const gradients = tf.grads(lossOf)(inputs);
    const sizes = gradients.map((gradient) =>
      tf.max(tf.abs(gradient)).arraySync(),
    );
    expect(sizes.filter((size) => !Number.isFinite(size))).toEqual([]);
    expect(Math.max(...(sizes as number[]))).toBeGreaterThan(0);
  }
  if (model.trainableWeights.length === 0) return;
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const before = model.getWeights().map((weight) => weight.clone());
  const losses = [await model.trainOnBatch(inputs, targets)].flat();
  expect(losses.every(Number.isFinite)).toBe(true);
  const after = model.getWeights();
  const moved = before.map((weight, i) =>
    tf.max(tf.abs(tf.sub(weight, after[i] as tf.Tensor))).arraySync(),
  );
  expect(moved.filter((size) => !Number.isFinite(size))).toEqual([]);
  expect(Math.max(...(moved as number[]))).toBeGreaterThan(0);
}
