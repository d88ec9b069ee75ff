/**
 * Fine-tunes a trained network on other digits, with its batch normalization
 * frozen.
 */
import * as tf from '@tensorflow/tfjs';
import {batchNorm, freezeBatchNorm} from 'tfjs-normalization';
import {readDigits} from '../tools/digits_images.js';

function createBase(): tf.Sequential {
  const base = tf.sequential();
  base.add(tf.layers.dense({units: 64, useBias: false, inputShape: [64]}));
  base.add(batchNorm({movingAverage: 'debiased'}));
  base.add(tf.layers.reLU());
  return base;
}

/** Returns the base with a new last layer, ready for training. */
function withHead(base: tf.LayersModel, rate: number): tf.Sequential {
  const model = tf.sequential();
  model.add(base);
  model.add(tf.layers.dense({units: 10, activation: 'softmax'}));
  model.compile({
    optimizer: tf.train.sgd(rate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}

/** Returns the digits from `first` to `last`. */
async function digitsBetween(first: number, last: number) {
  const {pixels, labels} = readDigits();
  const classes = await tf.argMax(labels, 1).data();
  const places = Array.from(classes.keys()).filter(
    (i) => (classes[i] ?? -1) >= first && (classes[i] ?? 10) <= last,
  );
  const indices = tf.tensor1d(places, 'int32');
  return {x: tf.gather(pixels, indices), y: tf.gather(labels, indices)};
}

async function main(): Promise<void> {
  const old = await digitsBetween(0, 4);
  const other = await digitsBetween(5, 9);
  const base = createBase();
  const fit = {epochs: 5, batchSize: 32, verbose: 0} as const;
  await withHead(base, 0.1).fit(old.x, old.y, fit);

  // A few images of another kind would spoil the statistics of the many before.
  const frozen = freezeBatchNorm(base);
  const model = withHead(base, 0.05);
  const history = await model.fit(other.x, other.y, fit);
  const [accuracy] = (history.history.acc as number[]).slice(-1);
  console.log(
    `${frozen} BatchNorm frozen; ${(100 * (accuracy ?? 0)).toFixed(1)}% of the ` +
      'digits 5 to 9 after five epochs',
  );
}

void main();
