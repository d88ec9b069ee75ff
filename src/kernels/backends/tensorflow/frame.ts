import {
  axesWithout,
  longAxes,
  PER_PARAMETER,
  PER_STATISTIC,
  shapeOf,
} from '../../frame.js';
import {type View, valuesPerStatistic} from '../../contract.js';

/** A view in the axes that TensorFlow's ops broadcast and reduce. */
export interface Frame {
  /** The view's axes, without those of length one. */
  readonly shape: readonly number[];
  /** The shape of one value per statistic. */
  readonly statistics: readonly number[];
  /** The shape of one value per parameter. */
  readonly parameters: readonly number[];
  /** The axes that a statistic is computed over. */
  readonly statisticAxes: readonly number[];
  /** The axes that a parameter serves all along. */
  readonly parameterAxes: readonly number[];
  /** The number of values that a statistic is computed from. */
  readonly count: number;
}

/** The frame of a view. */
export function frameOf(view: View): Frame {
  const axes = longAxes(view);
  return {
    shape: axes.map(({length}) => length),
    statistics: shapeOf(axes, PER_STATISTIC),
    parameters: shapeOf(axes, PER_PARAMETER),
    statisticAxes: axesWithout(axes, PER_STATISTIC),
    parameterAxes: axesWithout(axes, PER_PARAMETER),
    count: valuesPerStatistic(view),
  };
}
