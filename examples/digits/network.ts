import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
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

/** The source of the normalization layers. */
export type Maker = 'package' | 'stock';

type NormFactory = (options: {
  name: string;
  momentum: number;
  movingAverage: MovingAverage;
}) => tf.layers.Layer;

const FACTORIES: Readonly<Record<Maker, Partial<Record<Norm, NormFactory>>>> = {
  package: {
    batch: (options) => batchNorm(options),
    layer: ({name}) => layerNorm({name}),
  },
  stock: {
    batch: ({name, momentum}) => tf.layers.batchNormalization({name, momentum}),
    layer: ({name}) => tf.layers.layerNormalization({name}),
  },
};

/**
 * The network of Ioffe and Szegedy, https://arxiv.org/abs/1502.03167, section
 * 4.1: three hidden layers of 100, kernels from a normal distribution, SGD.
 * With the same seed all networks start from the same kernels.
 *
 * @param size The number of pixels of an image.
 */
export function createNetwork(
  norm: Norm,
  size: number,
  options: NetworkOptions,
  maker: Maker = 'package',
): tf.LayersModel {
  const model = tf.sequential();
  for (let i = 1; i <= HIDDEN_LAYERS; i++) {
    const inputShape = i === 1 ? [size] : undefined;
    for (const layer of hiddenLayers(norm, i, options, maker, inputShape)) {
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
  maker: Maker,
  inputShape?: number[],
): tf.layers.Layer[] {
  const name = `hidden_${index}`;
  const createNorm = FACTORIES[maker][norm];
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
