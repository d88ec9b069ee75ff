import * as tf from '@tensorflow/tfjs';
import {oneLine, reasonOf} from '../tools/errors.js';
import {featuresOf, rowsOf, shrunk} from './cases.js';
import {buildSteps, type InProcess} from './layer_steps.js';
import type {LayerCase} from './results.js';
import type {Step} from './stock_steps.js';

/** The largest change from rounding a number to float32, relative to it. */
const ROUNDING = 2 ** -24;

/** Results contain sums of sums, multiplied and divided by others. */
const SUMS = 4;

/**
 * Finds contenders not worth timing: those that throw, or whose results differ
 * from the composed kernels'. Tries them on few values per feature.
 *
 * Each rounding of a running sum over n values errs by at most 2^-24 of it, so
 * results may differ by a few times n · 2^-24, relative to the largest. A wrong
 * axis makes them differ by about their own size.
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

/** Returns infinity if one of them is not a number. */
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
