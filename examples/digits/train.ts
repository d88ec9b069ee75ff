import * as tf from '@tensorflow/tfjs';
import type {Data} from './dataset.js';
import {CLASSES, type Images} from './images.js';
import {createRandom, deriveSeed, permutation} from './random.js';
import type {Stop} from './stop.js';

/** Images as inputs and targets of the network. */
export interface Examples {
  readonly xs: tf.Tensor2D;
  /** One-hot. */
  readonly ys: tf.Tensor2D;
}

/** The data as tensors. */
export interface Tensors {
  readonly training: Examples;
  readonly validation: Examples;
}

/** One number for every finished epoch. */
export interface History {
  readonly loss: number[];
  readonly accuracy: number[];
  readonly valLoss: number[];
  readonly valAccuracy: number[];
  /** With the statistics of the training set; empty without --recalibrate. */
  readonly valAccuracyRecalibrated: number[];
  /** The time of training alone, without the validation. */
  readonly seconds: number[];
}

/** Settings and callbacks of training. */
export interface Schedule {
  readonly epochs: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly stop: Stop;
  /** Measures the accuracy with the statistics of the training set. */
  readonly recalibrated?:
    ((model: tf.LayersModel) => Promise<number>) | undefined;
  /** Called with the loss of each batch. */
  readonly onBatch: (loss: number) => void;
  /** Called after each epoch, which is the last of the history. */
  readonly onEpoch: (history: History) => void;
}

/** Converts the data to tensors. The caller disposes them. */
export function toTensors({training, validation}: Data): Tensors {
  return {training: toExamples(training), validation: toExamples(validation)};
}

function toExamples({pixels, labels, size}: Images): Examples {
  return tf.tidy(() => ({
    xs: tf.tensor2d(pixels, [labels.length, size]),
    ys: tf
      .oneHot(tf.tensor1d(labels, 'int32'), CLASSES)
      .toFloat() as tf.Tensor2D,
  }));
}

/**
 * Trains a network, with an order of images that depends only on the seed.
 * After Ctrl-C the history ends with the last whole epoch.
 */
export async function train(
  model: tf.LayersModel,
  {training, validation}: Tensors,
  schedule: Schedule,
): Promise<History> {
  const {epochs, batchSize, seed, stop, onBatch, onEpoch} = schedule;
  const {recalibrated} = schedule;
  const random = createRandom(deriveSeed(seed, 'order of images'));
  const history = emptyHistory();
  const batch = (loss: number): boolean => {
    onBatch(loss);
    return stop.requested;
  };
  while (history.loss.length < epochs && !stop.requested) {
    const order = permutation(training.xs.shape[0], random);
    const epoch = await trainEpoch(model, training, order, batchSize, batch);
    if (epoch === undefined) break;
    const [valLoss, valAccuracy] = evaluate(model, validation);
    history.loss.push(epoch.loss);
    history.accuracy.push(epoch.accuracy);
    history.seconds.push(epoch.seconds);
    history.valLoss.push(valLoss);
    history.valAccuracy.push(valAccuracy);
    if (recalibrated) {
      history.valAccuracyRecalibrated.push(await recalibrated(model));
    }
    onEpoch(history);
  }
  return history;
}

function emptyHistory(): History {
  return {
    loss: [],
    accuracy: [],
    valLoss: [],
    valAccuracy: [],
    valAccuracyRecalibrated: [],
    seconds: [],
  };
}

/** The results of one training epoch. */
export interface Epoch {
  readonly loss: number;
  readonly accuracy: number;
  /** The time of training alone. */
  readonly seconds: number;
}

/**
 * Trains a network on each example once.
 *
 * @param order The indices of the examples, in the order of use.
 * @param onBatch Called with the loss of each batch; returns true to stop.
 * @returns undefined if stopped before the last batch.
 */
export async function trainEpoch(
  model: tf.LayersModel,
  examples: Examples,
  order: Int32Array,
  batchSize: number,
  onBatch: (loss: number) => boolean,
): Promise<Epoch | undefined> {
  const {xs, ys} = inOrder(examples, order);
  let left = Math.ceil(order.length / batchSize);
  const onBatchEnd = (_: number, logs?: tf.Logs): void => {
    left -= 1;
    if (onBatch(Number(logs?.loss))) model.stopTraining = true;
  };
  const start = performance.now();
  const {history} = await model.fit(xs, ys, {
    epochs: 1,
    batchSize,
    // tf.js shuffles with Math.random, which has no seed, so no run could be
    // repeated.
    shuffle: false,
    // Nothing on the terminal; tf.js exports no name for it.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
    verbose: 0,
    callbacks: {onBatchEnd},
  });
  const seconds = (performance.now() - start) / 1000;
  tf.dispose([xs, ys]);
  if (left > 0) return undefined;
  const [loss, accuracy] = [history.loss?.[0], history.acc?.[0]];
  return {loss: Number(loss), accuracy: Number(accuracy), seconds};
}

function inOrder({xs, ys}: Examples, order: Int32Array): Examples {
  return tf.tidy(() => {
    const positions = tf.tensor1d(order, 'int32');
    return {xs: tf.gather(xs, positions), ys: tf.gather(ys, positions)};
  });
}

/** Returns the first examples, as tensors that the caller disposes. */
export function firstOf({xs, ys}: Examples, count: number): Examples {
  return {xs: tf.slice(xs, 0, count), ys: tf.slice(ys, 0, count)};
}

/** Returns the loss and the accuracy. */
export function evaluate(
  model: tf.LayersModel,
  {xs, ys}: Examples,
): [number, number] {
  const scalars = model.evaluate(xs, ys) as tf.Scalar[];
  const [loss = NaN, accuracy = NaN] = scalars.map((s) => s.dataSync()[0]);
  tf.dispose(scalars);
  return [loss, accuracy];
}

/** Returns the network's probabilities of each class, for each image. */
export function predictAll(
  model: tf.LayersModel,
  xs: tf.Tensor2D,
): Float32Array {
  return tf.tidy(() =>
    (model.predict(xs) as tf.Tensor).dataSync<'float32'>().slice(),
  );
}
