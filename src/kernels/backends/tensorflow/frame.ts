import type {Tensor} from '@tensorflow/tfjs-core';
import {
  type Axis,
  axesWithout,
  longAxes,
  PER_PARAMETER,
  PER_STATISTIC,
  shapeOf,
} from '../../frame.js';
import {type View, valuesPerStatistic} from '../../contract.js';
import {lastOf} from '../../../util/at.js';
import type {TensorflowOps} from './ops.js';

/**
 * TensorFlow goes along the last axis run by run. Where runs are shorter than this, a value
 * for each channel, of which there are few, takes less time than one for each run.
 */
const SHORT_GROUP = 32;

/** A view in the axes that TensorFlow's ops broadcast and reduce. */
export class Frame {
  /** The number of values that a statistic is computed from. */
  readonly count: number;
  /** If true, values per statistic and per parameter together are few beside x's. */
  readonly hasCommonAxes: boolean;
  /** The view's axes, without those of length one. Short groups stay in one axis. */
  private readonly shape: readonly number[];
  /** The shape of one value per statistic. */
  private readonly statistics: readonly number[];
  /** The shape of one value per parameter. */
  private readonly parameters: readonly number[];
  /** The axes of {@link shape} that statistics are computed over. */
  private readonly statisticAxes: readonly number[];
  /** The axes of {@link shape} that a parameter serves all along. */
  private readonly parameterAxes: readonly number[];
  /** The axes of {@link shape} that are both. */
  private readonly commonAxes: readonly number[];
  /** The number of channels of a short group, which are one axis with the groups. */
  private readonly shortGroup: number | undefined;

  constructor(
    private readonly ops: TensorflowOps,
    view: View,
  ) {
    const apart = longAxes(view);
    this.statistics = shapeOf(apart, PER_STATISTIC);
    this.shortGroup = shortGroupOf(apart);
    const axes = this.shortGroup === undefined ? apart : mergedEnd(apart);
    this.shape = axes.map(({length}) => length);
    this.parameters = shapeOf(axes, PER_PARAMETER);
    this.statisticAxes = axesWithout(axes, PER_STATISTIC);
    this.parameterAxes = axesWithout(axes, PER_PARAMETER);
    this.commonAxes = axesWithout(axes, [...PER_STATISTIC, ...PER_PARAMETER]);
    this.hasCommonAxes = this.commonAxes.length > 0;
    this.count = valuesPerStatistic(view);
  }

  /** x, a tensor of the view's size, in the frame's shape. */
  whole(x: Tensor): Tensor {
    return this.ops.reshape(x, this.shape);
  }

  /** A value for each statistic, in a shape that small tensors of them share. */
  perStatistic(values: Tensor): Tensor {
    return this.ops.reshape(values, this.statistics);
  }

  /** Values of {@link perStatistic}, broadcasting over the frame. */
  spread(values: Tensor): Tensor {
    if (this.shortGroup === undefined) return values;
    const each = this.ops.mul(values, this.ops.filled([this.shortGroup], 1));
    return this.ops.reshape(each, mergedShape(each.shape));
  }

  /** A value for each parameter, broadcasting over the frame. */
  perParameter(values: Tensor): Tensor {
    return this.ops.broadcast(values, this.parameters);
  }

  /** The first value of each statistic. */
  first(x: Tensor): Tensor {
    return this.ops.first(this.groupsApart(x), this.statistics);
  }

  /** x summed over the axes that the sums per statistic and per parameter share. */
  commonSum(x: Tensor): Tensor {
    return this.hasCommonAxes ? this.ops.sum(x, this.commonAxes) : x;
  }

  /**
   * The sum for each statistic, of x or of its products with a weight for each parameter.
   *
   * @param x In the frame's shape; its {@link commonSum}, where statistics have more
   *   parameters than one.
   */
  sum(x: Tensor, weights?: Tensor): Tensor {
    if (this.shortGroup === undefined) {
      return this.ops.sum(x, this.statisticAxes, weights);
    }
    const products = weights ? this.ops.mul(x, weights) : x;
    const groups = this.groupsApart(products);
    return this.ops.sum(groups, [groups.rank - 1]);
  }

  /** The mean for each statistic. */
  mean(x: Tensor): Tensor {
    return this.meanOf((axes) => this.ops.mean(x, axes));
  }

  /** The mean of squares for each statistic. */
  meanOfSquares(x: Tensor): Tensor {
    return this.meanOf((axes) => this.ops.meanOfSquares(x, axes));
  }

  /**
   * The sum for each parameter, of x or of its products with a weight for each statistic.
   *
   * @param x In the frame's shape, or its {@link commonSum}.
   */
  sumPerParameter(x: Tensor, weights?: Tensor): Tensor {
    return this.ops.sum(x, this.parameterAxes, weights && this.spread(weights));
  }

  /** The mean of means of a statistic's channels, where they are few. */
  private meanOf(mean: (axes: readonly number[]) => Tensor): Tensor {
    if (this.shortGroup === undefined) return mean(this.statisticAxes);
    const groups = this.groupsApart(mean(this.commonAxes));
    return this.ops.mean(groups, [groups.rank - 1]);
  }

  private groupsApart(x: Tensor): Tensor {
    if (this.shortGroup === undefined) return x;
    const groups = (lastOf(x.shape) ?? 1) / this.shortGroup;
    return this.ops.reshape(x, [
      ...x.shape.slice(0, -1),
      groups,
      this.shortGroup,
    ]);
  }
}

/**
 * The length of a view's last axis, if that is a group's channels, they are few, and are
 * summed over an axis before the groups too.
 */
function shortGroupOf(axes: readonly Axis[]): number | undefined {
  const [outer, group, channel] = axes.slice(-3);
  return outer?.role === 'outer' &&
    group?.role === 'group' &&
    channel?.role === 'channel' &&
    channel.length < SHORT_GROUP
    ? channel.length
    : undefined;
}

/** The frame's axes with groups and their channels as one. */
function mergedEnd(axes: readonly Axis[]): Axis[] {
  const length = lastOf(mergedShape(axes.map((axis) => axis.length))) ?? 1;
  return [...axes.slice(0, -2), {role: 'channel', length}];
}

function mergedShape(shape: readonly number[]): number[] {
  const [groups = 1, channels = 1] = shape.slice(-2);
  return [...shape.slice(0, -2), groups * channels];
}
