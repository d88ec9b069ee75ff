import {mean, mul, pad, reshape, sum, type Tensor} from '@tensorflow/tfjs-core';

/**
 * The longest run that is summed in one go whatever its length's divisors: a
 * running float32 sum of so few values stays within 512 · 2⁻²⁴ = 3e-5 of Σ|x| at
 * the very worst, and a thousand times closer as a rule.
 */
const SHORT_RUN = 512;

/** How far from the square root a divisor may be and still make good blocks. */
const BALANCE = 8;

interface Blocks {
  readonly count: number;
  readonly length: number;
}

/**
 * Sums over `axes` in two levels, first within blocks and then over them, and
 * keeps the axes with length one. A backend's own sum may be one running float32
 * sum, whose error grows with the number of values; two levels of about the
 * root of it leave it at the square root.
 */
export function blockedSum(x: Tensor, axes: readonly number[]): Tensor {
  return reduceInBlocks(x, axes, 'sum');
}

/** As {@link blockedSum}, divided by the number of values. */
export function blockedMean(x: Tensor, axes: readonly number[]): Tensor {
  return reduceInBlocks(x, axes, 'mean');
}

function reduceInBlocks(
  x: Tensor,
  axes: readonly number[],
  kind: 'mean' | 'sum',
): Tensor {
  if (axes.length === 0) return x;
  const reduce = kind === 'mean' ? mean : sum;
  const longest = axes.reduce((a, b) => (size(x, b) > size(x, a) ? b : a));
  const length = size(x, longest);
  const total = axes.reduce((product, axis) => product * size(x, axis), 1);
  const blocks = blocksOf(length, Math.sqrt(total));
  const padded = blocks.count * blocks.length;
  const even = padded === length ? x : padEnd(x, longest, padded - length);
  const split = reshape(even, splitShape(x.shape, longest, blocks));
  const partial = reduce(split, longest + 1);
  const whole = reduce(partial, [...axes], true);
  return kind === 'mean' && padded !== length
    ? mul(whole, padded / length)
    : whole;
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

function divisorNear(length: number, wanted: number): number | undefined {
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

function size(x: Tensor, axis: number): number {
  return x.shape[axis] ?? 1;
}
