import {mul, reshape, type Tensor} from '@tensorflow/tfjs-core';
import type {layers} from '@tensorflow/tfjs-layers';

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

const TARGETS: Readonly<Record<string, FoldTarget>> = {
  Dense: {axis: 'last', scale: lastAxisOfLast},
  Conv1D: {axis: 'channels', scale: lastAxisOfLast},
  Conv2D: {axis: 'channels', scale: lastAxisOfLast},
  Conv3D: {axis: 'channels', scale: lastAxisOfLast},
  Conv2DTranspose: {axis: 'channels', scale: transposed},
  Conv3DTranspose: {axis: 'channels', scale: transposed},
  DepthwiseConv2D: {axis: 'channels', scale: depthwise},
  // The depthwise kernel comes first, and the pointwise one makes the outputs.
  SeparableConv2D: {axis: 'channels', scale: lastAxisOfLast},
};

/** Returns the way to fold something into a layer, if there is one. */
export function foldTargetOf(layer: layers.Layer): FoldTarget | undefined {
  return new Map(Object.entries(TARGETS)).get(layer.getClassName());
}
