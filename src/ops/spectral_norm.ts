import {
  add,
  broadcastTo,
  concat,
  div,
  equal,
  greater,
  isFinite as isFiniteTensor,
  logicalAnd,
  matMul,
  reshape,
  split,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';
import {constantOf} from './constant.js';
import {indicator} from './indicator.js';
import {normalizeLength} from './unit_norm.js';

/** As short as float32 allows: a kernel of small values has a direction, too. */
const SHORTEST = 1e-37;

/** A kernel divided by its largest singular value, and the vector that found it. */
export interface SpectrallyNormalized {
  readonly kernel: Tensor;
  /** The start of the next search, of shape [1, columns]. */
  readonly u: Tensor;
}

/**
 * Divides a kernel by an estimate of its largest singular value, as a matrix with the
 * last axis as columns: `σ = v W uᵀ`, with u and v by power iteration.
 *
 * Differentiable to any order in the kernel, through σ, where u and v are constants. A
 * kernel of zeros stays as it is. Where σ is 0 or not finite, so does u.
 *
 * @param start u of the search before, of shape [1, columns].
 * @param iterations The number of power iterations.
 */
export function normalizeSpectrally(
  kernel: Tensor,
  start: Tensor,
  iterations: number,
): SpectrallyNormalized {
  const columns = start.size;
  const rows = kernel.size / columns;
  const matrix = reshape(kernel, [rows, columns]);
  const vectors = constantOf(matrix, (values) => {
    let [v, u] = iterate(values, start);
    for (let i = 1; i < iterations; i++) [v, u] = iterate(values, u);
    return concat([v, u], 1);
  });
  const [v, u] = split(vectors, [rows, columns], 1) as [Tensor, Tensor];
  const sigma = matMul(matMul(v, matrix), u, false, true);
  const isZero = constantOf(sigma, (value) => indicator(equal(value, 0)));
  const isFound = logicalAnd(greater(sigma, 0), isFiniteTensor(sigma));
  return {
    kernel: div(kernel, reshape(add(sigma, isZero), [])),
    u: where(broadcastTo(isFound, u.shape), u, start),
  };
}

/** One power iteration: v, and then u. */
function iterate(matrix: Tensor, u: Tensor): [v: Tensor, u: Tensor] {
  const v = normalizeLength(matMul(u, matrix, false, true), [1], SHORTEST);
  return [v, normalizeLength(matMul(v, matrix), [1], SHORTEST)];
}
