import {reshape, type Tensor} from '@tensorflow/tfjs-core';
import {blockedMean, blockedSum} from './blocked_mean.js';
import type {View} from './kernels.js';

type AxisName = keyof View;

const AXES: readonly AxisName[] = [
  'batch',
  'outer',
  'group',
  'channel',
  'inner',
];

/**
 * A view as core ops broadcast over it: its axes without those of length one,
 * since every axis costs a generic backend time.
 */
export class Frame {
  private readonly axes: readonly AxisName[];

  constructor(private readonly view: View) {
    const axes = AXES.filter((axis) => view[axis] !== 1);
    this.axes = axes.length > 0 ? axes : ['group'];
  }

  /** x, a tensor of the view's size, in the frame's shape. */
  whole(x: Tensor): Tensor {
    return reshapeTo(
      x,
      this.axes.map((axis) => this.view[axis]),
    );
  }

  /** A vector with a value per `(batch, group)`, broadcasting over the frame. */
  perStatistic(values: Tensor): Tensor {
    return reshapeTo(values, this.shapeOf('batch', 'group'));
  }

  /** A vector with a value per `(group, channel)`, broadcasting over the frame. */
  perParameter(values: Tensor): Tensor {
    const shape = this.shapeOf('group', 'channel');
    // Trailing axes broadcast as they are, which saves the reshape.
    const trails = shape.slice(0, -1).every((length) => length === 1);
    return trails && values.rank === 1 ? values : reshapeTo(values, shape);
  }

  /** One value of x for each statistic, to subtract before summing. */
  firstPosition(): {begin: number[]; size: number[]} {
    return {
      begin: this.axes.map(() => 0),
      size: this.shapeOf('batch', 'group'),
    };
  }

  /** The mean of x, in the frame's shape, for each statistic. */
  meanPerStatistic(x: Tensor): Tensor {
    return blockedMean(x, this.positions('outer', 'channel', 'inner'));
  }

  /** The sum of x, in the frame's shape, for each parameter. */
  sumPerParameter(x: Tensor): Tensor {
    return blockedSum(x, this.positions('batch', 'outer', 'inner'));
  }

  /** Whether every statistic has one parameter, and every parameter one statistic. */
  get parametersAreStatistics(): boolean {
    return this.view.batch === 1 && this.view.channel === 1;
  }

  private shapeOf(...kept: AxisName[]): number[] {
    return this.axes.map((axis) => (kept.includes(axis) ? this.view[axis] : 1));
  }

  private positions(...reduced: AxisName[]): number[] {
    return this.axes.flatMap((axis, i) => (reduced.includes(axis) ? [i] : []));
  }
}

/** A reshape that costs nothing where there is nothing to do. */
export function reshapeTo(x: Tensor, shape: readonly number[]): Tensor {
  const same =
    x.rank === shape.length &&
    x.shape.every((length, i) => length === shape[i]);
  return same ? x : reshape(x, [...shape]);
}
