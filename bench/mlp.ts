import * as tf from '@tensorflow/tfjs';
import type {NormFactory} from '../examples/digits/network.js';
import type {Prepared} from './whole_programs.js';

const CLASSES = 10;

/** The sizes of an MLP, and of its batches. */
export interface MlpSize {
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: readonly number[];
}

export const LARGE: MlpSize = {batch: 128, inputs: 784, hidden: [256, 256]};
/** As small as the main job's: little of its time is that of matrix products. */
export const SMALL: MlpSize = {batch: 60, inputs: 64, hidden: [100, 100]};

/** A training step of {@link createMlp}. */
export function mlp(size: MlpSize, makeNorm?: NormFactory): Prepared {
  const {batch, inputs} = size;
  const model = createMlp(size, makeNorm);
  model.compile({
    optimizer: tf.train.sgd(0.01),
    loss: 'categoricalCrossentropy',
  });
  const xs = tf.randomNormal([batch, inputs]);
  const classes = tf.tidy(() =>
    tf.range(0, batch, 1, 'int32').mod(tf.scalar(CLASSES, 'int32')),
  );
  const ys = tf.tidy(() => tf.oneHot(classes, CLASSES).toFloat());
  const run = async (): Promise<undefined> => {
    // This waits for the loss.
    await model.trainOnBatch(xs, ys);
    return undefined;
  };
  return {run, held: [xs, classes, ys, model.optimizer]};
}

/** An MLP with normalization before each activation. */
export function createMlp(
  {inputs, hidden}: MlpSize,
  makeNorm?: NormFactory,
): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({inputShape: [inputs]}));
  for (const units of hidden) {
    model.add(tf.layers.dense({units}));
    if (makeNorm) model.add(makeNorm({}));
    model.add(tf.layers.activation({activation: 'relu'}));
  }
  model.add(tf.layers.dense({units: CLASSES, activation: 'softmax'}));
  return model;
}
