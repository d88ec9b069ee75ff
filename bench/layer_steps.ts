import * as tf from '@tensorflow/tfjs';
import {BatchNorm, batchNorm, layerNorm} from 'tfjs-normalization';
import {featuresOf, isLast} from './cases.js';
import {withFused} from './fused.js';
import type {Contender, LayerCase} from './results.js';

const EPSILON = 1e-3;

/** Computes once; of several results the last is the smallest. */
export type Step = () => tf.Tensor[];

/** Who computes in this process. */
export type InProcess = Exclude<Contender, 'torch'>;

/** What goes in. */
interface Inputs {
  readonly x: tf.Tensor;
  readonly dy: tf.Tensor;
  readonly gamma: tf.Tensor;
  readonly beta: tf.Tensor;
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
}

/** A computation by all who can do it, and what to call at the end. */
export interface Steps {
  readonly steps: Readonly<Record<InProcess, Step>>;
  readonly dispose: () => void;
}

/** Builds a computation for all contenders, over the same random numbers. */
export function buildSteps(layerCase: LayerCase): Steps {
  const inputs = randomInputs(layerCase);
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const build = layerCase.mode === 'inference' ? inference : training;
  const {stock, ours} = build(layerCase, inputs);
  const steps = {
    stock,
    composed: () => withFused(false, ours),
    fused: () => withFused(true, ours),
    add: () => [tf.add(inputs.x, inputs.dy)],
  };
  const dispose = (): void => {
    tf.dispose(Object.values(inputs) as tf.Tensor[]);
    disposeVariablesExcept(before);
  };
  return {steps, dispose};
}

/** A layer that was only called has no way of its own to say goodbye. */
export function disposeVariablesExcept(names: ReadonlySet<string>): void {
  const variables = tf.engine().registeredVariables;
  for (const [name, variable] of Object.entries(variables)) {
    if (!names.has(name)) variable.dispose();
  }
}

function randomInputs(layerCase: LayerCase): Inputs {
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

/** The same computation by stock tf.js and by this package. */
interface Pair {
  readonly stock: Step;
  readonly ours: Step;
}

function inference(layerCase: LayerCase, inputs: Inputs): Pair {
  const {stock, ours} = layersOf(layerCase, inputs);
  const step = (layer: tf.layers.Layer) => () => [
    layer.apply(inputs.x) as tf.Tensor,
  ];
  return {stock: step(stock), ours: step(ours)};
}

/** Without moving statistics. */
function training(layerCase: LayerCase, inputs: Inputs): Pair {
  const {stock, ours} = layersOf(layerCase, inputs);
  const {x, dy, gamma, beta} = inputs;
  const step = (normalize: (...args: tf.Tensor[]) => tf.Tensor): Step => {
    const gradients = tf.grads(normalize);
    return () => gradients([x, gamma, beta], dy);
  };
  const stepOf = (layer: tf.layers.Layer): Step => {
    const weights = layer.trainableWeights.map((weight) => weight.read());
    const gradients = tf.grads((input) => layer.apply(input) as tf.Tensor);
    return () => gradients([x, ...weights], dy);
  };
  if (ours instanceof BatchNorm) ours.statistics = 'batch';
  return {
    // The stock layer moves its statistics whenever it trains. This is the rest.
    stock:
      layerCase.norm === 'batch norm'
        ? step(stockBatchNorm(layerCase))
        : stepOf(stock),
    ours: stepOf(ours),
  };
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

const FACTORIES = {
  'batch norm': [tf.layers.batchNormalization, batchNorm],
  'layer norm': [tf.layers.layerNormalization, layerNorm],
} as const;

function layersOf(
  {norm, shape, axis}: LayerCase,
  {gamma, beta, mean, variance}: Inputs,
): Record<keyof Pair, tf.layers.Layer> {
  const [createStock, createOurs] = FACTORIES[norm];
  const options = {axis, epsilon: EPSILON};
  const stock: tf.layers.Layer = createStock(options);
  const ours: tf.layers.Layer = createOurs(options);
  for (const layer of [stock, ours]) {
    layer.build([...shape]);
    const affine = [gamma, beta];
    layer.setWeights(
      norm === 'batch norm' ? [...affine, mean, variance] : affine,
    );
  }
  return {stock, ours};
}
