import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  type View,
  parametersCount,
  statisticsCount,
  viewSize,
} from '../../src/kernels/contract.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

/** Lengths at which loops over blocks and lanes of four go wrong. */
const LENGTHS = [1, 1, 1, 2, 3, 4, 5, 7, 8, 17];
const LONG = [63, 64, 65, 127, 1000, 1009];

/** Any view, with at most one long axis. */
export const anyView: fc.Arbitrary<View> = fc
  .tuple(
    fc.array(fc.constantFrom(...LENGTHS), {minLength: 5, maxLength: 5}),
    fc.option(fc.tuple(fc.nat(4), fc.constantFrom(...LONG)), {nil: undefined}),
  )
  .map(([lengths, long]) => {
    // A long axis among short ones, or this would take hours.
    const short = long ? lengths.map((length) => Math.min(length, 3)) : lengths;
    const [batch = 1, outer = 1, group = 1, channel = 1, inner = 1] = short.map(
      (length, axis) => (axis === long?.[0] ? long[1] : length),
    );
    return {batch, outer, group, channel, inner};
  })
  .filter((view) => viewSize(view) <= 40_000);

/** Everything beside the view that changes what a kernel computes. */
export interface Case {
  view: View;
  centered: boolean;
  scale: boolean;
  center: boolean;
  statistics: boolean;
  epsilon: number;
  /** The mean of the data, whose deviation is 1. */
  mean: number;
  seed: number;
}

export const anyCase: fc.Arbitrary<Case> = fc.record({
  view: anyView,
  centered: fc.boolean(),
  scale: fc.boolean(),
  center: fc.boolean(),
  statistics: fc.boolean(),
  epsilon: fc.constantFrom(1e-3, 1e-5, 1),
  mean: fc.constantFrom(0, 3, -10_000),
  seed: fc.nat(1000),
});

/** Runs a test over cases, and sees that it leaves no tensor. */
export function checkCases(
  test: (options: Case) => Promise<void>,
  numRuns: number,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(anyCase, (options) => leavingNothing(() => test(options))),
    {numRuns},
  );
}

/** A tensor and its values, which are float32 numbers. */
export interface Data {
  tensor: tf.Tensor;
  values: number[];
}

const data = (tensor: tf.Tensor): Data => ({tensor, values: valuesOf(tensor)});

/** The tensors of a case. */
export function dataOf({view, seed, mean, centered}: Case): {
  x: Data;
  dy: Data;
  gamma: Data;
  beta: Data;
  dmean: Data;
  dvariance: Data;
} {
  const size = [viewSize(view)];
  const parameters = [parametersCount(view)];
  const statistics = [statisticsCount(view)];
  return {
    // Around a large mean the mean of squares is all that would be left.
    x: data(randomTensor(size, seed, centered ? mean : 0.5)),
    dy: data(randomTensor(size, seed + 1)),
    gamma: data(randomTensor(parameters, seed + 2, 1, 0.5)),
    beta: data(randomTensor(parameters, seed + 3)),
    dmean: data(randomTensor(statistics, seed + 4)),
    dvariance: data(randomTensor(statistics, seed + 5)),
  };
}

/** Fails if the tensors made inside are not gone afterwards. */
export async function leavingNothing(test: () => Promise<void>): Promise<void> {
  const before = tf.memory().numTensors;
  tf.engine().startScope();
  try {
    await test();
  } finally {
    tf.engine().endScope();
  }
  expect(tf.memory().numTensors).toBe(before);
}
