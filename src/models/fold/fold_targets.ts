import {mul, reshape, type Tensor} from '@tensorflow/tfjs-core';
import {layers} from '@tensorflow/tfjs-layers';

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

/** Layers of tf.js, which exports no class, each as the function that makes one. */
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
