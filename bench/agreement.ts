import * as tf from '@tensorflow/tfjs';
import {oneLine, reasonOf} from '../examples/digits/errors.js';
import {featuresOf, rowsOf, shrunk} from './cases.js';
import {buildSteps, type InProcess} from './layer_steps.js';
import type {LayerCase} from './results.js';
import type {Step} from './stock_steps.js';

/** Relative to 1, what rounding to float32 changes a number by at most. */
const ROUNDING = 2 ** -24;

/** Sums are of sums, multiplied and divided by others. */
const SUMS = 4;

/**
 * Why there is no point in timing somebody: it throws, or computes something else
 * than composed kernels do. Tried on few values for each feature.
 *
 * Each rounding of a running sum over n values errs by at most 2^-24 of it, so
 * results may differ by a few times n · 2^-24, relative to the largest. An axis
 * that was mistaken for another makes them differ by as much as they are.
 */
export function problemsOf(
  layerCase: LayerCase,
  names: readonly InProcess[],
): Partial<Record<InProcess, string>> {
  const small = shrunk(layerCase);
  const summed = Math.max(featuresOf(small), rowsOf(small));
  const tolerance = SUMS * summed * ROUNDING;
  const {steps, dispose} = buildSteps(small);
  try {
    const expected = steps.composed();
    const problems = names.map((name) => [
      name,
      problemOf(steps[name], expected, tolerance),
    ]);
    tf.dispose(expected);
    return Object.fromEntries(problems) as Partial<Record<InProcess, string>>;
  } finally {
    dispose();
  }
}

function problemOf(
  step: Step,
  expected: readonly tf.Tensor[],
  tolerance: number,
): string | undefined {
  try {
    const actual = step();
    const differences = actual.map((tensor, i) =>
      relativeDifference(tensor, expected[i]),
    );
    tf.dispose(actual);
    const largest = Math.max(...differences);
    return largest <= tolerance
      ? undefined
      : `wrong: off by ${largest.toPrecision(2)} of the largest value`;
  } catch (error) {
    return `throws: ${oneLine(reasonOf(error))}`;
  }
}

/** Infinite where one of them is not a number. */
function relativeDifference(
  actual: tf.Tensor,
  expected: tf.Tensor | undefined,
): number {
  if (actual.size !== expected?.size) return Infinity;
  return tf.tidy(() => {
    const difference = tf.max(
      tf.abs(tf.sub(tf.reshape(actual, expected.shape), expected)),
    );
    const ratio = tf.div(difference, tf.max(tf.abs(expected)));
    const value = ratio.dataSync<'float32'>()[0] ?? NaN;
    return Number.isNaN(value) ? Infinity : value;
  });
}
