import {Tensor} from '@tensorflow/tfjs-core';
import {refusal} from '../util/received.js';
import type {OptionCheck} from './description.js';

/** A number, or arrays of numbers in each other, all of one shape. */
export type Numbers = number | readonly Numbers[];

/** Numbers in a row, with their shape. */
export interface ShapedNumbers {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

/** Checks an option that is a number, or an array of numbers. */
export const checkNumbers: OptionCheck = (value, name, who) => {
  if (shapeOf(value) !== undefined) return;
  throw refusal(
    who,
    `${name} must be a finite number, or an array of them with rows of one ` +
      'length',
    name,
    value instanceof Tensor ? 'a tensor' : value,
  );
};

/** Checks an option as {@link checkNumbers} does, and that nothing is below 0. */
export const checkVariances: OptionCheck = (value, name, who) => {
  checkNumbers(value, name, who);
  if (flat(value as Numbers).every((v) => v >= 0)) return;
  throw refusal(who, `${name} must not be below 0`, name, value);
};

/**
 * Checks that an option has no more axes than statistics can have.
 *
 * @param rank The most axes.
 */
export function checkRank(
  value: Numbers,
  rank: number,
  name: string,
  who: string,
): void {
  if (shapeWithin(value, rank).length <= rank) return;
  throw refusal(
    who,
    `${name} must have no more axes than are kept, which are ${rank}`,
    name,
    value,
  );
}

/**
 * Aligns numbers with the kept axes from the last one back, as numpy broadcasts.
 *
 * @param lengths Those of the kept axes.
 * @return Numbers of as many axes, each as long as the kept one or of length 1.
 * @throws Error if they do not fit.
 */
export function fitNumbers(
  value: Numbers,
  lengths: readonly number[],
  name: string,
  who: string,
): ShapedNumbers {
  const own = shapeWithin(value, lengths.length);
  const missing = new Array<number>(lengths.length - own.length).fill(1);
  const shape = [...missing, ...own];
  if (shape.every((n, i) => n === 1 || n === lengths[i])) {
    return {values: flat(value), shape};
  }
  throw refusal(
    who,
    `${name} of shape [${own.join(', ')}] does not fit the kept axes, whose ` +
      `lengths are [${lengths.join(', ')}]`,
    name,
    value,
  );
}

/** The shape without the leading axes of length 1 that are too many: tf-keras takes them. */
function shapeWithin(value: Numbers, rank: number): readonly number[] {
  const shape = shapeOf(value) ?? [];
  const extra = Math.max(0, shape.length - rank);
  return shape.slice(0, extra).every((n) => n === 1)
    ? shape.slice(extra)
    : shape;
}

/** The shape of numbers; undefined if they have none, or something else is among them. */
function shapeOf(value: unknown): readonly number[] | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : undefined;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const [first, ...others] = (value as unknown[]).map(shapeOf);
  const isEven = others.every((other) => other?.join() === first?.join());
  return first && isEven ? [value.length, ...first] : undefined;
}

function flat(value: Numbers): readonly number[] {
  return typeof value === 'number' ? [value] : value.flatMap(flat);
}
