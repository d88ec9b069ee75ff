import {Tensor} from '@tensorflow/tfjs';

/** One rounding: half the relative distance of two float32 numbers. */
const ROUNDING = 2 ** -24;

/** The same of float64 numbers. */
export const FLOAT64_ROUNDING = 2 ** -53;

/** How close two lists of numbers must be. */
export interface Closeness {
  /** The name of the compared values, for the message. */
  what: string;
  /** How many roundings of `scale` any element may be off by. */
  roundings: number;
  /**
   * The size of the numbers that were rounded on the way. Defaults to the
   * largest expected one, which is wrong if terms cancel.
   */
  scale?: number;
  /** What one rounding is off by, relative to `scale`. Defaults to that of float32. */
  rounding?: number;
  /** The shape that a tensor must have. Defaults to any of the right size. */
  shape?: readonly number[];
}

/**
 * Fails if an element is off by more than allowed, naming the worst one; also
 * if one is NaN, or if the lengths or the shapes differ.
 */
export async function expectClose(
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  closeness: Closeness,
): Promise<void> {
  expectShape(actual, closeness);
  expectValues(await read(actual), await read(expected), closeness);
}

/** {@link expectClose}, for a tidy and wherever else nothing can be waited for. */
export function expectCloseNow(
  actual: Tensor | ArrayLike<number>,
  expected: Tensor | ArrayLike<number>,
  closeness: Closeness,
): void {
  expectShape(actual, closeness);
  expectValues(readNow(actual), readNow(expected), closeness);
}

function read(
  values: Tensor | ArrayLike<number>,
): ArrayLike<number> | Promise<ArrayLike<number>> {
  return values instanceof Tensor ? values.data() : values;
}

function readNow(values: Tensor | ArrayLike<number>): ArrayLike<number> {
  return values instanceof Tensor ? values.dataSync() : values;
}

function expectShape(
  actual: Tensor | ArrayLike<number>,
  {shape}: Closeness,
): void {
  if (actual instanceof Tensor && shape !== undefined) {
    expect(actual.shape).toEqual(shape);
  }
}

function expectValues(
  values: ArrayLike<number>,
  expected: ArrayLike<number>,
  {what, roundings, scale = largest(expected), rounding = ROUNDING}: Closeness,
): void {
  if (values.length !== expected.length) {
    throw new Error(
      `${what} has ${values.length} values, expected ${expected.length}`,
    );
  }
  const tolerance = roundings * rounding * scale;
  const {index, error} = worst(values, expected);
  if (error <= tolerance) return;
  throw new Error(
    `${what}[${index}] is ${values[index]}, expected ${expected[index]}: off ` +
      `by ${error}, where ${tolerance} is allowed ` +
      `(${roundings} roundings of ${scale}). ` +
      `That is ${error / (rounding * scale)} roundings.`,
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
