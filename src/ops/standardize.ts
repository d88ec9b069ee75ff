import {
  add,
  broadcastTo,
  div,
  maximum,
  mul,
  reshape,
  sqrt,
  sub,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {inFewRuns} from './few_runs.js';
import type {Statistics} from './moving_statistics.js';

/** The least standard deviation: Keras's epsilon. */
const LEAST_DEVIATION = 1e-7;

/** Options of {@link standardize}. */
export interface StandardizeOptions {
  /** The axes that the statistics keep: not negative, ascending. */
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
  const lengths = axes.map((axis) => x.shape[axis] ?? 1);
  const deviation = maximum(sqrt(statistics.variance), LEAST_DEVIATION);
  return inFewRuns(x, axes, (values, along) => {
    const shape = values.shape.map((n, axis) => (along.includes(axis) ? n : 1));
    const [mean, by] = [statistics.mean, deviation].map((statistic) =>
      reshape(broadcastTo(statistic, lengths), shape),
    ) as [Tensor, Tensor];
    return invert ? add(mean, mul(values, by)) : div(sub(values, mean), by);
  });
}
