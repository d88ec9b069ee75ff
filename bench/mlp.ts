import * as tf from '@tensorflow/tfjs';
import type {NormFactory} from '../examples/digits/network.js';
import type {Prepared} from './whole_programs.js';

export const PIXELS = 784;
const HIDDEN_UNITS = [256, 256];
const CLASSES = 10;
export const BATCH = 128;

/** A training step of {@link createMlp}. */
export function mlp(makeNorm?: NormFactory): Prepared {
  const model = createMlp(makeNorm);
  model.compile({
    optimizer: tf.train.sgd(0.01),
    loss: 'categoricalCrossentropy',
  });
  const xs = tf.randomNormal([BATCH, PIXELS]);
  const classes = tf.tidy(() =>
    tf.range(0, BATCH, 1, 'int32').mod(tf.scalar(CLASSES, 'int32')),
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
export function createMlp(makeNorm?: NormFactory): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({inputShape: [PIXELS]}));
  for (const units of HIDDEN_UNITS) {
    model.add(tf.layers.dense({units}));
    if (makeNorm) model.add(makeNorm({}));
    model.add(tf.layers.activation({activation: 'relu'}));
  }
  model.add(tf.layers.dense({units: CLASSES, activation: 'softmax'}));
  return model;
}
