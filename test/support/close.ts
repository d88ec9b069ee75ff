import {Tensor} from '@tensorflow/tfjs';

/** One rounding: half the relative distance of two float32 numbers. */
const ROUNDING = 2 ** -24;

/** The allowed difference between two lists of numbers. */
export interface Closeness {
  /** The name of the compared values, for the message. */
  what: string;
  /**
   * The number of float32 roundings of `scale` by which any element may be off.
   */
  roundings: number;
  /**
   * The size of the numbers that were rounded on the way. Defaults to the
   * largest expected one, which is wrong if terms cancel.
   */
  scale?: number;
  /**
   * The shape that a tensor must have. Defaults to any shape of the right size.
   */
  shape?: readonly number[];
}

/**
 * Fails if an element is off by more than allowed, naming the worst one; also
 * if one is NaN, or if the lengths or the shapes differ.
 */
export async function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: ArrayLike<number>,
  {what, roundings, scale = largest(expected), shape}: Closeness,
): Promise<void> {
  const isTensor = actual instanceof Tensor;
  const values = isTensor ? await actual.data() : actual;
  if (isTensor && shape !== undefined) expect(actual.shape).toEqual(shape);
  if (values.length !== expected.length) {
    throw new Error(
      `${what} has ${values.length} values, expected ${expected.length}`,
    );
  }
  const tolerance = roundings * ROUNDING * scale;
  const {index, error} = worst(values, expected);
  if (error <= tolerance) return;
  throw new Error(
    `${what}[${index}] is ${values[index]}, expected ${expected[index]}: off ` +
      `by ${error}, where ${tolerance} is allowed ` +
      `(${roundings} roundings of ${scale}). ` +
      `That is ${error / (ROUNDING * scale)} roundings.`,
  );
}

function worst(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): {index: number; error: number} {
  let found = {index: 0, error: 0};
  for (let index = 0; index < expected.length; index++) {
    const [a, e] = [actual[index] ?? NaN, expected[index] ?? NaN];
    const error = a === e ? 0 : Math.abs(a - e);
    // NaN is worse than any number.
    if (Number.isNaN(error)) return {index, error};
    if (error > found.error) found = {index, error};
  }
  return found;
}

function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
}
