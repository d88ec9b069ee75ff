/**
 * Classifies handwritten digits with convolutions, each with batch
 * normalization.
 */
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {readDigits} from '../tools/digits_images.js';

const SIDE = 8;
const TRAINING = 1440;

const model = tf.sequential();
const targetShape = [SIDE, SIDE, 1];
model.add(tf.layers.reshape({targetShape, inputShape: [SIDE * SIDE]}));
for (const filters of [8, 16]) {
  // beta takes the place of the convolution's bias.
  const options = {filters, kernelSize: 3, useBias: false};
  model.add(tf.layers.conv2d({...options, padding: 'same'}));
  // Debiased averages predict well from the first epoch of 45 steps on.
  model.add(batchNorm({movingAverage: 'debiased'}));
  model.add(tf.layers.reLU());
  model.add(tf.layers.maxPooling2d({poolSize: 2}));
}
model.add(tf.layers.flatten());
model.add(tf.layers.dense({units: 10, activation: 'softmax'}));

async function main(): Promise<void> {
  const {pixels, labels} = readDigits();
  model.compile({
    optimizer: tf.train.adam(0.01),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const onEpochEnd = (epoch: number, logs?: tf.Logs): void => {
    const percent = (100 * (logs?.val_acc ?? 0)).toFixed(1);
    console.log(`epoch ${epoch + 1}: ${percent}% of new digits are read`);
  };
  await model.fit(pixels.slice(0, TRAINING), labels.slice(0, TRAINING), {
    epochs: 3,
    batchSize: 32,
    verbose: 0,
    validationData: [pixels.slice(TRAINING), labels.slice(TRAINING)],
    callbacks: {onEpochEnd},
  });
}

void main();
