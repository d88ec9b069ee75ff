import {type Tensor, type TensorLike, tidy} from '@tensorflow/tfjs-core';
import type {Parameters} from '../kernels/contract.js';
import {refusal} from '../util/received.js';
import {groupsLayout} from './layout.js';
import {applyAfter, type NormOptions, prepareNorm} from './norm_options.js';
import {normalize} from './normalize.js';

/** Options of {@link groupNorm}. */
export interface GroupNormOptions extends Omit<NormOptions, 'axis'> {
  /** The axis of the channels, a negative one counted from the last. Defaults to -1. */
  readonly axis?: number | undefined;
  /** The number of groups; -1 is one for each channel. Defaults to 32. */
  readonly groups?: number | undefined;
}

/**
 * Options of {@link instanceNorm}.
 *
 * @interface
 */
export type InstanceNormOptions = Omit<GroupNormOptions, 'groups'>;

/**
 * Group normalization of a tensor:
 *
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma + beta`
 *
 * with a mean and a biased variance for each example and each group of neighbouring
 * channels. Differentiable to any order in x, gamma and beta.
 *
 * Shape: y has x's.
 *
 * ```js
 * const x = tf.tensor2d([[1, 3, 10, 30]]);
 * ops.groupNorm(x, {groups: 2, epsilon: 1e-9}).print(); // [[-1, 1, -1, 1]]
 * ```
 *
 * @param x A tensor of rank 2 or more, the batch first; computed in float32.
 * @param options `groups` (32): a divisor of the number of channels, or -1 for one group
 *   a channel. `axis` (-1): the channels. `epsilon` (1e-3), `gamma` (ones) and `beta`
 *   (zeros), one value a channel, or with the batch before it to vary by example.
 * @throws Error if the axis is out of range or the batch's, if the groups do not divide
 *   the channels, if epsilon is not above 0, or if gamma or beta has another shape.
 *
 * @see Wu and He, 2018, https://arxiv.org/abs/1803.08494, section 3.
 */
export function groupNorm(
  x: Tensor | TensorLike,
  options: GroupNormOptions = {},
): Tensor {
  const {groups} = options;
  return prepareAndNormalize(x, options, groups ?? 32, 'ops.groupNorm', [
    'groups',
  ]);
}

/**
 * Instance normalization of a tensor: {@link groupNorm} with a group for each channel, so
 * that each channel of each example has a mean of 0 and a deviation of 1.
 *
 * Shape: y has x's.
 *
 * ```js
 * const x = tf.tensor3d([[[1, 10], [3, 30]]]);
 * ops.instanceNorm(x, {epsilon: 1e-9}).print(); // [[[-1, -1], [1, 1]]]
 * ```
 *
 * @param x A tensor of rank 3 or more, the batch first; computed in float32.
 * @param options `axis` (-1): the channels. `epsilon` (1e-3), `gamma` (ones) and `beta`
 *   (zeros), one value a channel, or with the batch before it to vary by example.
 * @throws Error as {@link groupNorm} does.
 *
 * @see Ulyanov, Vedaldi and Lempitsky, 2016, https://arxiv.org/abs/1607.08022.
 */
export function instanceNorm(
  x: Tensor | TensorLike,
  options: InstanceNormOptions = {},
): Tensor {
  return prepareAndNormalize(x, options, -1, 'ops.instanceNorm', []);
}

function prepareAndNormalize(
  x: Tensor | TensorLike,
  options: InstanceNormOptions,
  groups: number,
  who: string,
  more: readonly string[],
): Tensor {
  return tidy(() => {
    const {input, axes, epsilon, inKernel, after} = prepareNorm(
      x,
      options,
      who,
      more,
    );
    const axis = channelAxis(axes, options.axis, who);
    const count = groupCount(groups, input.shape[axis] ?? 0, who);
    const y = normalizeGroups(input, {
      axis,
      groups: count,
      epsilon,
      ...inKernel,
    });
    return applyAfter(y, after);
  });
}

/** Normalizes each example and each group of channels by itself. */
export function normalizeGroups(
  x: Tensor,
  {
    axis,
    groups,
    ...options
  }: Parameters & {axis: number; groups: number; epsilon: number},
): Tensor {
  return normalize(x, groupsLayout(x.shape, axis, groups), options).y;
}

/**
 * The only axis, of the channels.
 *
 * @throws Error if there are more, or if it is the batch's.
 */
export function channelAxis(
  axes: readonly number[],
  given: unknown,
  who: string,
): number {
  const [axis = 0, ...more] = axes;
  if (axis > 0 && more.length === 0) return axis;
  throw refusal(
    who,
    `axis must be one axis, that of the channels, and not the batch's`,
    'axis',
    given ?? -1,
  );
}

/**
 * The number of groups for so many channels.
 *
 * @param groups As a user gave it; -1 is one for each channel.
 * @throws Error if the groups do not divide the channels.
 */
export function groupCount(
  groups: number,
  channels: number,
  who: string,
): number {
  if (groups === -1) return channels;
  if (Number.isInteger(groups) && groups > 0 && channels % groups === 0) {
    return groups;
  }
  throw refusal(
    who,
    `groups must divide the ${channels} channels, or be -1 for one group a ` +
      'channel',
    'groups',
    groups,
  );
}
