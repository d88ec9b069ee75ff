import {refusal} from '../util/received.js';

/** One axis or several. Negative ones count from the last. */
export type Axes = number | readonly number[];

/**
 * The axes as positive numbers in ascending order, in an array of their own.
 *
 * @param who Named first in the message of an error.
 * @throws Error if an axis is out of range, given twice, or no integer, or if
 *   there is none.
 */
export function resolveAxes(axis: Axes, rank: number, who: string): number[] {
  checkAxes(axis, who);
  const given = typeof axis === 'number' ? [axis] : axis;
  const resolved = given.map((a) => {
    if (a < -rank || a >= rank) {
      throw refusal(
        who,
        `axis ${a} is out of range for an input of rank ${rank}`,
        'axis',
        axis,
      );
    }
    return a < 0 ? a + rank : a;
  });
  if (new Set(resolved).size !== resolved.length) {
    throw refusal(
      who,
      `duplicate axes for an input of rank ${rank}`,
      'axis',
      axis,
    );
  }
  return resolved.sort((a, b) => a - b);
}

/**
 * Checks what can be checked of `axis` before the input's rank is known.
 *
 * @throws Error if it is neither an integer nor a list of them, not empty.
 */
export function checkAxes(axis: unknown, who: string): asserts axis is Axes {
  const list: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
  if (list.length === 0 || !list.every(Number.isInteger)) {
    throw refusal(
      who,
      'axis must be an integer or an array of integers, not empty',
      'axis',
      axis,
    );
  }
}
