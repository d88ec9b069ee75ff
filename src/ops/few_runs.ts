import {reshape, type Tensor, transpose} from '@tensorflow/tfjs-core';
import {chosenLast, inversePermutation} from './layout.js';

/** TensorFlow broadcasts no tensor in which more runs of axes take turns. */
const MOST_RUNS = 5;

/**
 * Computes f of x, where f broadcasts along some axes and not along the others.
 *
 * @param axes Not negative, ascending.
 * @param f Takes x and the axes, or x as a matrix with these axes in its columns.
 */
export function inFewRuns(
  x: Tensor,
  axes: readonly number[],
  f: (values: Tensor, axes: readonly number[]) => Tensor,
): Tensor {
  const indices = x.shape.map((_, index) => index);
  const chosen = indices.map((index) => axes.includes(index));
  const turns = indices.filter((i) => i > 0 && chosen[i] !== chosen[i - 1]);
  if (turns.length < MOST_RUNS || x.size === 0) return f(x, axes);
  const order = chosenLast(x.shape, axes);
  const moved = transpose(x, order);
  const columns = axes.reduce((product, i) => product * (x.shape[i] ?? 1), 1);
  const matrix = reshape(moved, [x.size / columns, columns]);
  const result = reshape(f(matrix, [1]), moved.shape);
  return transpose(result, inversePermutation(order));
}
