import {mul, reshape, type Tensor} from '@tensorflow/tfjs-core';
import {layers} from '@tensorflow/tfjs-layers';
import {type AnyBatchNorm, stateOf} from '../graph/statistics_layers.js';
import {isOwnLayer} from '../../layer_support/registration.js';
import {isStockBatchNormalization} from '../patch/stock_layers.js';
import {
  callsOf,
  type GraphLayer,
  type GraphModel,
  usesOf,
} from '../graph/graph.js';
import {innerLayers, isModel} from '../graph/live_model.js';

/** A kind of layer that a batch normalization after it can be folded into. */
export interface FoldTarget {
  /** The axis of its output that holds the kernel's outputs. */
  readonly axis: 'last' | 'channels';
  /**
   * Returns its weights without the bias, with every output multiplied by its
   * factor.
   *
   * @param factors One per output channel.
   */
  readonly scale: (weights: readonly Tensor[], factors: Tensor) => Tensor[];
}

const lastAxisOfLast = (
  weights: readonly Tensor[],
  factors: Tensor,
): Tensor[] =>
  weights.map((weight, i) =>
    i === weights.length - 1 ? mul(weight, factors) : weight,
  );

/** [..., out, in] */
const transposed = (kernels: readonly Tensor[], factors: Tensor): Tensor[] =>
  kernels.map((kernel) => mul(kernel, reshape(factors, [-1, 1])));

/** [h, w, in, multiplier], where outputs are numbered in · multiplier + m */
const depthwise = (kernels: readonly Tensor[], factors: Tensor): Tensor[] =>
  kernels.map((kernel) => mul(kernel, reshape(factors, kernel.shape.slice(2))));

// A name of their own, or they would take one that a user's layer gets.
const name = 'to_be_recognized';
const CONVOLUTION = {filters: 1, kernelSize: 1, name};

/** Layers of tf.js, each by the function that makes one: their classes are not exported. */
const TARGETS: ReadonlyArray<readonly [() => layers.Layer, FoldTarget]> = [
  [() => layers.dense({units: 1, name}), {axis: 'last', scale: lastAxisOfLast}],
  [() => layers.conv1d(CONVOLUTION), {axis: 'channels', scale: lastAxisOfLast}],
  [() => layers.conv2d(CONVOLUTION), {axis: 'channels', scale: lastAxisOfLast}],
  [() => layers.conv3d(CONVOLUTION), {axis: 'channels', scale: lastAxisOfLast}],
  [
    () => layers.conv2dTranspose(CONVOLUTION),
    {axis: 'channels', scale: transposed},
  ],
  [
    () => layers.conv3dTranspose(CONVOLUTION),
    {axis: 'channels', scale: transposed},
  ],
  [
    () => layers.depthwiseConv2d({kernelSize: 1, name}),
    {axis: 'channels', scale: depthwise},
  ],
  // The depthwise kernel comes first, and the pointwise one makes the outputs.
  [
    () => layers.separableConv2d(CONVOLUTION),
    {axis: 'channels', scale: lastAxisOfLast},
  ],
];

let byClass: ReadonlyMap<unknown, FoldTarget> | undefined;

/**
 * Returns the way to fold something into a layer, if there is one. A class of the
 * program's own may compute anything, whatever it is called.
 */
export function foldTargetOf(layer: layers.Layer): FoldTarget | undefined {
  byClass ??= new Map(
    TARGETS.map(([make, target]) => [make().constructor, target]),
  );
  return byClass.get(layer.constructor);
}

let timeDistributed: unknown;

/** If true, a layer is tf.js's own TimeDistributed. */
export function isTimeDistributed(layer: layers.Layer): boolean {
  timeDistributed ??= layers.timeDistributed({
    layer: layers.dense({units: 1, name}),
    name,
  }).constructor;
  return layer.constructor === timeDistributed;
}

/** A batch normalization, and the layer to fold it into. */
export interface Fold {
  readonly norm: AnyBatchNorm;
  readonly into: GraphLayer;
  /** The layer with the kernel: that layer, or the one that it wraps. */
  readonly kernel: layers.Layer;
  /** The layer that wraps it, if one does. */
  readonly wrapper: layers.Layer | undefined;
}

/** The reason why a batch normalization cannot be folded. */
export interface Obstacle {
  readonly reason: string;
}

/**
 * Returns the layer to fold a batch normalization into, or the reason why there
 * is none.
 */
export function findFold(
  norm: AnyBatchNorm,
  layer: GraphLayer,
  model: GraphModel,
): Fold | Obstacle {
  if (!isOwnLayer(norm) && !isStockBatchNormalization(norm)) {
    return {reason: "it is of a class of the program's own"};
  }
  const {axes, mode} = stateOf(norm);
  const rank = norm.inputSpec[0]?.ndim ?? 0;
  if (mode === 'batch') {
    return {reason: 'it predicts with the statistics of the batch'};
  }
  const before = layerBefore(layer, model);
  if ('reason' in before) return before;
  const {live: into} = before;
  const kernel = kernelLayerOf(into);
  const target = foldTargetOf(kernel);
  if (target === undefined) {
    return {
      reason: `${into.name}, before it, is ${whatIs(into)}, into which nothing can be folded`,
    };
  }
  const isWrapped = kernel !== into;
  const {activation, dataFormat} = isWrapped
    ? kernel.getConfig()
    : before.layer.config;
  if (typeof activation === 'string' && activation !== 'linear') {
    return {
      reason: `the activation ${activation} of ${into.name} stands between`,
    };
  }
  const isFirst = target.axis === 'channels' && dataFormat === 'channelsFirst';
  const outputs = isFirst ? (isWrapped ? 2 : 1) : rank - 1;
  if (axes.length !== 1 || axes[0] !== outputs) {
    return {
      reason: `its axis is ${axes.join()}, and the outputs of ${into.name} are along axis ${outputs}`,
    };
  }
  const wrapper = isWrapped ? into : undefined;
  return {norm, into: before.layer, kernel, wrapper};
}

/** The layer that TimeDistributed applies at each step, or the layer itself. */
function kernelLayerOf(layer: layers.Layer): layers.Layer {
  const [inner] = innerLayers(layer);
  return isTimeDistributed(layer) && inner ? inner : layer;
}

function whatIs(layer: layers.Layer): string {
  if (isModel(layer)) return 'a model';
  const kernel = kernelLayerOf(layer);
  return kernel === layer
    ? layer.getClassName()
    : `${layer.getClassName()} of ${kernel.getClassName()}`;
}

/** A layer before another, and in the model itself. */
interface Before {
  readonly layer: GraphLayer;
  readonly live: layers.Layer;
}

function layerBefore(layer: GraphLayer, model: GraphModel): Before | Obstacle {
  const [call, ...others] = callsOf(model, layer);
  const [input] = call?.inputs ?? [];
  const before = model.layers.find(({name}) => name === input?.layer);
  const live = before?.live;
  if (!before || !live) return {reason: 'there is no layer before it'};
  if (others.length > 0) return {reason: 'it is used more than once'};
  const {name} = before;
  if (callsOf(model, before).length > 1) {
    return {reason: `${name}, before it, is used more than once`};
  }
  if ((usesOf(model).get(name) ?? 0) > 1) {
    return {reason: `the output of ${name}, before it, is used elsewhere too`};
  }
  return {layer: before, live};
}
