import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {CLASSES} from '../digits/images.js';
import {deriveSeed} from '../digits/random.js';

const FILTERS = [8, 16];
const SIDE = 8;

/** The prefix of the names of the last block's layers. */
export const TOP = `block_${FILTERS.length}`;

/**
 * Creates a small convolutional network for images of 8 by 8 pixels: blocks of
 * a convolution, batch normalization, ReLU and pooling, and a fully connected
 * head.
 */
export function createNetwork(seed: number): tf.LayersModel {
  const model = tf.sequential();
  const targetShape = [SIDE, SIDE, 1];
  model.add(tf.layers.reshape({targetShape, inputShape: [SIDE * SIDE]}));
  FILTERS.forEach((filters, i) => {
    for (const layer of block(`block_${i + 1}`, filters, seed))
      model.add(layer);
  });
  model.add(tf.layers.flatten());
  model.add(createHead('head', seed));
  return model;
}

/** Creates a fully connected layer that classifies digits. */
export function createHead(name: string, seed: number): tf.layers.Layer {
  return tf.layers.dense({
    name,
    units: CLASSES,
    activation: 'softmax',
    kernelInitializer: tf.initializers.glorotNormal({
      seed: deriveSeed(seed, name),
    }),
  });
}

/** Compiles a network for training. */
export function compile(model: tf.LayersModel, rate: number): void {
  model.compile({
    optimizer: tf.train.sgd(rate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

function block(name: string, filters: number, seed: number): tf.layers.Layer[] {
  return [
    tf.layers.conv2d({
      name: `${name}_conv`,
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({
        seed: deriveSeed(seed, name),
      }),
    }),
    batchNorm({name: `${name}_norm`, momentum: 0.9, movingAverage: 'debiased'}),
    tf.layers.reLU({name: `${name}_relu`}),
    tf.layers.maxPooling2d({name: `${name}_pool`, poolSize: 2}),
  ];
}
