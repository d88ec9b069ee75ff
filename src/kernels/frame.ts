import {reshape, type Tensor} from '@tensorflow/tfjs-core';
import {blockedMean, blockedSum, MAX_RANK} from './blocked_mean.js';
import type {View} from './contract.js';

/**
 * The rank up to which webgpu 4.22 broadcasts a short vector. Beyond, its shader
 * does not compile, and the result is whatever was in memory.
 */
const VECTOR_BROADCAST_RANK = 4;

/** The purpose of an axis of a view. */
export type Role = Exclude<keyof View, 'perOuter'>;

/** An axis of a frame. */
export interface Axis {
  readonly role: Role;
  readonly length: number;
}

const ROLES: readonly Role[] = ['batch', 'outer', 'group', 'channel', 'inner'];

/** The axes that statistics, and parameters, have values for. */
export const PER_STATISTIC: readonly Role[] = ['batch', 'group'];
export const PER_PARAMETER: readonly Role[] = ['group', 'channel'];

/** A view of a tensor in a shape that core ops broadcast over. */
export class Frame {
  private readonly axes: readonly Axis[];
  private readonly roles: readonly Role[];

  constructor(view: View, shape: readonly number[]) {
    this.roles = view.perOuter ? ['outer'] : PER_PARAMETER;
    this.axes = rowsAsTheyAre(view, shape) ?? longAxes(view);
  }

  /** x, a tensor of the view's size, in the frame's shape. */
  whole(x: Tensor): Tensor {
    return reshapeTo(
      x,
      this.axes.map(({length}) => length),
    );
  }

  /** A value for each `(batch, group)`, broadcasting over the frame. */
  perStatistic(values: Tensor): Tensor {
    return reshapeTo(values, shapeOf(this.axes, PER_STATISTIC));
  }

  /** A value for each parameter, broadcasting over the frame. */
  perParameter(values: Tensor): Tensor {
    const shape = shapeOf(this.axes, this.roles);
    // Trailing axes broadcast as they are, which saves the reshape.
    const trailing = shape.slice(shape.length - values.rank);
    const fits =
      (values.rank > 1 || shape.length <= VECTOR_BROADCAST_RANK) &&
      values.shape.every((length, i) => length === trailing[i]) &&
      trailing.length === values.rank &&
      values.size === shape.reduce((product, length) => product * length, 1);
    return fits ? values : reshape(values, shape);
  }

  /** The place of the first value of each statistic. */
  firstPosition(): {begin: number[]; size: number[]} {
    return {
      begin: this.axes.map(() => 0),
      size: shapeOf(this.axes, PER_STATISTIC),
    };
  }

  /** The mean of x, in the frame's shape, for each statistic. */
  meanPerStatistic(x: Tensor): Tensor {
    return blockedMean(x, axesWithout(this.axes, PER_STATISTIC));
  }

  /** The sum of x, in the frame's shape, for each parameter; no axes of length one. */
  sumPerParameter(x: Tensor): Tensor {
    return blockedSum(x, axesWithout(this.axes, this.roles), false);
  }
}

/** The axes' lengths, those of other roles than the given ones reduced to one. */
export function shapeOf(
  axes: readonly Axis[],
  kept: readonly Role[],
): number[] {
  return axes.map(({role, length}) => (kept.includes(role) ? length : 1));
}

/** The places of the axes of other roles than the given ones. */
export function axesWithout(
  axes: readonly Axis[],
  kept: readonly Role[],
): number[] {
  return axes.flatMap(({role}, i) => (kept.includes(role) ? [] : [i]));
}

/** Tells if every statistic has one parameter, and every parameter one statistic. */
export function parametersAreStatistics(view: View): boolean {
  return view.batch === 1 && view.channel === 1 && !view.perOuter;
}

/** A reshape that costs nothing where there is nothing to do. */
export function reshapeTo(x: Tensor, shape: readonly number[]): Tensor {
  const same =
    x.rank === shape.length &&
    x.shape.every((length, i) => length === shape[i]);
  return same ? x : reshape(x, [...shape]);
}

/** The tensor's own axes where the view is of its last ones: no reshape at all. */
function rowsAsTheyAre(
  view: View,
  shape: readonly number[],
): Axis[] | undefined {
  const isRows = view.outer === 1 && view.group === 1 && view.inner === 1;
  if (!isRows || shape.length >= MAX_RANK) return undefined;
  let rows = 1;
  let first = 0;
  while (first < shape.length && rows < view.batch) rows *= shape[first++] ?? 1;
  if (rows !== view.batch) return undefined;
  return shape.map((length, i) => ({
    role: i < first ? 'batch' : 'channel',
    length,
  }));
}

/** The view's axes without those of length one, which only cost time. */
export function longAxes(view: View): Axis[] {
  const axes = ROLES.map((role) => ({role, length: view[role]}));
  const long = axes.filter(({length}) => length !== 1);
  return long.length > 0 ? long : [{role: 'group', length: 1}];
}
