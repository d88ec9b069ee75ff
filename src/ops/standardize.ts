import {
  add,
  div,
  maximum,
  mul,
  reshape,
  sqrt,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type {Statistics} from './moving_statistics.js';

/** The least standard deviation: Keras's epsilon. */
const LEAST_DEVIATION = 1e-7;

/** Options of {@link standardize}. */
export interface StandardizeOptions {
  /** The axes that the statistics are about: not negative, ascending. */
  readonly axes: readonly number[];
  /** If true, takes normalized values back to what they were. */
  readonly invert: boolean;
}

/**
 * `(x − mean) / max(√variance, 1e-7)`, or with `invert` `mean + x · max(√variance, 1e-7)`.
 *
 * @param statistics Of the rank of `axes`, each axis as long as x's or of length 1.
 */
export function standardize(
  x: Tensor,
  statistics: Statistics,
  {axes, invert}: StandardizeOptions,
): Tensor {
  const aligned = (statistic: Tensor): Tensor =>
    reshape(
      statistic,
      x.shape.map((_, axis) => statistic.shape[axes.indexOf(axis)] ?? 1),
    );
  const mean = aligned(statistics.mean);
  const deviation = maximum(
    sqrt(aligned(statistics.variance)),
    LEAST_DEVIATION,
  );
  return invert ? add(mean, mul(x, deviation)) : div(sub(x, mean), deviation);
}
