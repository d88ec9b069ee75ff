import {valuesPerStatistic, type View} from '../kernels.js';

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
  /** How many values a statistic is computed from. */
  readonly count: number;
}

type Role = keyof View;

const ROLES: readonly Role[] = ['batch', 'outer', 'group', 'channel', 'inner'];
const PER_STATISTIC: readonly Role[] = ['batch', 'group'];
const PER_PARAMETER: readonly Role[] = ['group', 'channel'];

/** The frame of a view. */
export function frameOf(view: View): Frame {
  const long = ROLES.filter((role) => view[role] !== 1);
  const roles: readonly Role[] = long.length > 0 ? long : ['group'];
  const shapeWith = (kept: readonly Role[]): number[] =>
    roles.map((role) => (kept.includes(role) ? view[role] : 1));
  const axesWithout = (kept: readonly Role[]): number[] =>
    roles.flatMap((role, i) => (kept.includes(role) ? [] : [i]));
  return {
    shape: shapeWith(ROLES),
    statistics: shapeWith(PER_STATISTIC),
    parameters: shapeWith(PER_PARAMETER),
    statisticAxes: axesWithout(PER_STATISTIC),
    parameterAxes: axesWithout(PER_PARAMETER),
    count: valuesPerStatistic(view),
  };
}
