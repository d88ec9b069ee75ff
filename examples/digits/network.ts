import * as tf from '@tensorflow/tfjs';
import {CLASSES} from './images.js';
import type {MovingAverage, Norm} from './norms.js';
import type {Options} from './options.js';
import {deriveSeed} from './random.js';

const HIDDEN_LAYERS = 3;
const UNITS = 100;
const KERNEL_DEVIATION = 0.1;

/** The options that define a network. */
export type NetworkOptions = Pick<
  Options,
  'activation' | 'learningRate' | 'momentum' | 'movingAverage' | 'seed'
>;

/** Makes a normalization layer. */
export type NormFactory = (options: {
  name?: string;
  momentum?: number;
  movingAverage?: MovingAverage;
}) => tf.layers.Layer;

/** The layers of a network's runs, for those that have any. */
export type NormFactories = Readonly<Partial<Record<Norm, NormFactory>>>;

/** tf.js's own layers. Those of this package are in norm_layers.ts. */
export const STOCK: NormFactories = {
  batch: ({name, momentum}) => tf.layers.batchNormalization({name, momentum}),
  layer: ({name}) => tf.layers.layerNormalization(name ? {name} : {}),
};

/**
 * The network of Ioffe and Szegedy, https://arxiv.org/abs/1502.03167, section
 * 4.1: three hidden layers of 100, kernels from a normal distribution, SGD.
 * With the same seed all networks start from the same kernels.
 *
 * @param size The number of pixels of an image.
 * @param factories The source of the normalization layers.
 */
export function createNetwork(
  norm: Norm,
  size: number,
  options: NetworkOptions,
  factories: NormFactories,
): tf.LayersModel {
  const model = tf.sequential();
  for (let i = 1; i <= HIDDEN_LAYERS; i++) {
    const inputShape = i === 1 ? [size] : undefined;
    for (const layer of hiddenLayers(norm, i, options, factories, inputShape)) {
      model.add(layer);
    }
  }
  model.add(
    tf.layers.dense({
      name: 'output',
      units: CLASSES,
      activation: 'softmax',
      kernelInitializer: kernelInitializer(norm, 'output', options.seed),
    }),
  );
  model.compile({
    optimizer: tf.train.sgd(options.learningRate),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  return model;
}

function hiddenLayers(
  norm: Norm,
  index: number,
  options: NetworkOptions,
  factories: NormFactories,
  inputShape?: number[],
): tf.layers.Layer[] {
  const name = `hidden_${index}`;
  const createNorm = factories[norm];
  const dense = tf.layers.dense({
    name,
    units: UNITS,
    // beta takes the place of the bias.
    useBias: createNorm === undefined,
    kernelInitializer: kernelInitializer(norm, name, options.seed),
    ...(inputShape && {inputShape}),
  });
  const activation = tf.layers.activation({
    name: `${name}_activation`,
    activation: norm === 'none-relu' ? 'relu' : options.activation,
  });
  if (createNorm === undefined) return [dense, activation];
  const {momentum, movingAverage} = options;
  const made = createNorm({name: `${name}_norm`, momentum, movingAverage});
  return [dense, made, activation];
}

function kernelInitializer(
  norm: Norm,
  layer: string,
  seed: number,
): ReturnType<typeof tf.initializers.randomNormal> {
  const kernelSeed = deriveSeed(seed, `kernel of ${layer}`);
  return norm === 'none-relu'
    ? tf.initializers.heNormal({seed: kernelSeed})
    : tf.initializers.randomNormal({
        stddev: KERNEL_DEVIATION,
        seed: kernelSeed,
      });
}
