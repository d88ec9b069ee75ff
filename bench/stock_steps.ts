import * as tf from '@tensorflow/tfjs';
import {featuresOf, isLast} from './cases.js';
import {isStockNorm, type LayerCase, type StockNorm} from './results.js';

/*
 * Computations of stock tf.js. Nothing here imports the package, since the
 * process in which stock is measured must never load it.
 */

export const EPSILON = 1e-3;

/** The reason for a missing figure of stock. */
export const NO_STOCK = 'no such layer';

/** Computes once; the last of several results is the smallest. */
export type Step = () => tf.Tensor[];

/** The inputs of a computation. */
export interface Inputs {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/** Returns random inputs for a computation. */
export function randomInputs(layerCase: LayerCase): Inputs {
  const features = [featuresOf(layerCase)];
  const shape = [...layerCase.shape];
  return {
    x: tf.randomNormal(shape),
    dy: tf.randomNormal(shape),
    gamma: tf.randomUniform(features, 0.5, 1.5),
    beta: tf.randomNormal(features),
    mean: tf.randomNormal(features),
    variance: tf.randomUniform(features, 0.5, 1.5),
  };
}

/**
 * Returns stock's computation: its layer, or core ops where the layer does
 * more.
 */
export function stockStep(layerCase: LayerCase, inputs: Inputs): Step {
  const {norm} = layerCase;
  if (!isStockNorm(norm)) {
    return () => {
      throw new Error(NO_STOCK);
    };
  }
  if (layerCase.mode === 'inference') {
    const layer = stockLayer(norm, layerCase, inputs);
    return () => [layer.apply(inputs.x) as tf.Tensor];
  }
  // The stock layer updates its statistics whenever it trains. These ops do the
  // rest.
  return norm === 'batch norm'
    ? stepOf(stockBatchNorm(layerCase), inputs)
    : trainingStep(stockLayer(norm, layerCase, inputs), inputs);
}

/** Forward and backward through a layer. */
export function trainingStep(layer: tf.layers.Layer, {x, dy}: Inputs): Step {
  const weights = layer.trainableWeights.map((weight) => weight.read());
  const gradients = tf.grads((input) => layer.apply(input) as tf.Tensor);
  return () => gradients([x, ...weights], dy);
}

/** Builds a layer for this case, with its weights. */
export function prepared(
  layer: tf.layers.Layer,
  {norm, shape}: LayerCase,
  {gamma, beta, mean, variance}: Inputs,
): tf.layers.Layer {
  layer.build([...shape]);
  const statistics = norm === 'batch norm' ? [mean, variance] : [];
  // RMS normalization has a scale alone.
  const affine = norm === 'rms norm' ? [gamma] : [gamma, beta];
  layer.setWeights([...affine, ...statistics]);
  return layer;
}

/** A layer that was only called has no dispose of its own. */
export function disposeVariablesExcept(names: ReadonlySet<string>): void {
  const variables = tf.engine().registeredVariables;
  for (const [name, variable] of Object.entries(variables)) {
    if (!names.has(name)) variable.dispose();
  }
}

const FACTORIES = {
  'batch norm': tf.layers.batchNormalization,
  'layer norm': tf.layers.layerNormalization,
} as const;

function stockLayer(
  norm: StockNorm,
  layerCase: LayerCase,
  inputs: Inputs,
): tf.layers.Layer {
  const {axis} = layerCase;
  const layer: tf.layers.Layer = FACTORIES[norm]({axis, epsilon: EPSILON});
  return prepared(layer, layerCase, inputs);
}

function stepOf(
  normalize: (...args: tf.Tensor[]) => tf.Tensor,
  {x, dy, gamma, beta}: Inputs,
): Step {
  const gradients = tf.grads(normalize);
  return () => gradients([x, gamma, beta], dy);
}

function stockBatchNorm(
  layerCase: LayerCase,
): (...args: tf.Tensor[]) => tf.Tensor {
  const {shape, axis} = layerCase;
  const others = shape.map((_, i) => i).filter((i) => i !== axis);
  const last = isLast(layerCase);
  const broadcast = shape.map((size, i) => (i === axis ? size : 1));
  const fit = (vector: tf.Tensor): tf.Tensor =>
    last ? vector : tf.reshape(vector, broadcast);
  return (...args) => {
    const [x, gamma, beta] = args as [tf.Tensor, tf.Tensor, tf.Tensor];
    const {mean, variance} = tf.moments(x, others);
    return tf.batchNorm(
      x,
      fit(mean),
      fit(variance),
      fit(beta),
      fit(gamma),
      EPSILON,
    );
  };
}
