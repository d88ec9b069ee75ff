import {mul, pad, reshape, sum, type Tensor} from '@tensorflow/tfjs-core';

/**
 * The longest run that is summed in one go whatever its length's divisors. The roundings
 * of a running float32 sum go here and there: of n about √n remain, ten of so few values.
 * A thousand leave thirty, more than the kernels' sums in two levels.
 */
const SHORT_RUN = 128;

/** The factor by which a divisor may be off the square root and still make good blocks. */
const BALANCE = 8;

/** Sums of more values than this go in three levels or more. */
export const TWO_LEVELS = 2 ** 16;

/** The highest rank that webgl and wasm have kernels for. Blocks take one axis more. */
export const MAX_RANK = 6;

interface Blocks {
  readonly count: number;
  readonly length: number;
}

/**
 * Sums over `axes` in levels, first within blocks and then over them. A backend's
 * own sum may be one running float32 sum, whose error grows with the number of
 * values; two levels of about the root of it leave it at the root, and three, for
 * very many, at the third root.
 *
 * @param keepDims If true, the axes stay, with length one.
 */
export function blockedSum(
  x: Tensor,
  axes: readonly number[],
  keepDims: boolean,
): Tensor {
  if (axes.length === 0) return x;
  const longest = axes.reduce((a, b) => (size(x, b) > size(x, a) ? b : a));
  if (x.rank >= MAX_RANK) {
    return sum(sum(x, longest, true), [...axes], keepDims);
  }
  const length = size(x, longest);
  const count = sizeOf(x, axes);
  const isLong = count > TWO_LEVELS;
  const blocks = blocksOf(length, isLong ? Math.cbrt(count) : Math.sqrt(count));
  const missing = blocks.count * blocks.length - length;
  const even = missing === 0 ? x : padEnd(x, longest, missing);
  const split = reshape(even, splitShape(x.shape, longest, blocks));
  const sums = sum(split, longest + 1);
  return isLong && blocks.length > 1
    ? blockedSum(sums, axes, keepDims)
    : sum(sums, [...axes], keepDims);
}

/** As {@link blockedSum}, divided by the number of values; the axes stay. */
export function blockedMean(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length === 0) return x;
  // tf.mean takes a kernel more on some backends, and a pass more on others.
  return mul(blockedSum(x, axes, true), 1 / sizeOf(x, axes));
}

/** Blocks near `target` values long that cover `length`, exactly where they can. */
function blocksOf(length: number, target: number): Blocks {
  const wanted = Math.min(length, Math.ceil(target));
  const divisor = divisorNear(length, wanted);
  if (divisor !== undefined) {
    return {count: length / divisor, length: divisor};
  }
  if (length <= SHORT_RUN) return {count: 1, length};
  return {count: Math.ceil(length / wanted), length: wanted};
}

/** A divisor so near to `wanted` that it and its complement make good blocks. */
export function divisorNear(
  length: number,
  wanted: number,
): number | undefined {
  for (let step = 0; step <= wanted * (1 - 1 / BALANCE); step++) {
    if (length % (wanted - step) === 0) return wanted - step;
    if (wanted + step <= length && length % (wanted + step) === 0) {
      return wanted + step;
    }
  }
  return undefined;
}

/** Zeros add nothing to a sum, so they may make up the last block. */
function padEnd(x: Tensor, axis: number, by: number): Tensor {
  const paddings = x.shape.map((_, i): [number, number] => [
    0,
    i === axis ? by : 0,
  ]);
  return pad(x, paddings);
}

function splitShape(
  shape: readonly number[],
  axis: number,
  blocks: Blocks,
): number[] {
  return [
    ...shape.slice(0, axis),
    blocks.count,
    blocks.length,
    ...shape.slice(axis + 1),
  ];
}

function sizeOf(x: Tensor, axes: readonly number[]): number {
  return axes.reduce((product, axis) => product * size(x, axis), 1);
}

function size(x: Tensor, axis: number): number {
  return x.shape[axis] ?? 1;
}
