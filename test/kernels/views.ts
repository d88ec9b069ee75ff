import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  type View,
  parametersCount,
  statisticsCount,
  viewSize,
} from '../../src/kernels/contract.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

/** Lengths that are critical for loops over blocks and lanes of four. */
const LENGTHS = [1, 1, 1, 2, 3, 4, 5, 7, 8, 17];
const LONG = [63, 64, 65, 127, 1000, 1009];

/** Any view, with at most one long axis. */
export const anyView: fc.Arbitrary<View> = fc
  .tuple(
    fc.array(fc.constantFrom(...LENGTHS), {minLength: 5, maxLength: 5}),
    fc.option(fc.tuple(fc.nat(4), fc.constantFrom(...LONG)), {nil: undefined}),
    fc.nat(3).map((chance) => chance === 0),
  )
  .map(([lengths, long, perOuter]) => {
    // At most one long axis, or this would take hours.
    const short = long ? lengths.map((length) => Math.min(length, 3)) : lengths;
    const [batch = 1, outer = 1, group = 1, channel = 1, inner = 1] = short.map(
      (length, axis) => (axis === long?.[0] ? long[1] : length),
    );
    return {batch, outer, group, channel, inner, perOuter};
  })
  .filter((view) => viewSize(view) <= 40_000);

/** All parameters of a case, except the view, that affect a kernel's result. */
export interface Case {
  view: View;
  /** The shape of x. Defaults to a vector. */
  shape?: number[];
  subtractMean: boolean;
  scale: boolean;
  center: boolean;
  differentiableStatistics: boolean;
  epsilon: number;
  /** The mean of the data, whose deviation is 1. */
  mean: number;
  seed: number;
}

/** The view's axes as a tensor may have them: neighbours in one, or each of its own. */
const anyShape = (view: View): fc.Arbitrary<number[]> =>
  fc.array(fc.boolean(), {minLength: 4, maxLength: 4}).map((apart) => {
    const {batch, outer, group, channel, inner} = view;
    const shape = [batch];
    [outer, group, channel, inner].forEach((length, i) => {
      if (apart[i] === true) shape.push(length);
      else shape.push((shape.pop() ?? 1) * length);
    });
    return shape;
  });

export const anyCase: fc.Arbitrary<Case> = anyView.chain((view) =>
  anyShape(view).chain((shape) => caseOf(view, shape)),
);

const caseOf = (view: View, shape: number[]): fc.Arbitrary<Case> =>
  fc.record({
    view: fc.constant(view),
    shape: fc.constant(shape),
    subtractMean: fc.boolean(),
    scale: fc.boolean(),
    center: fc.boolean(),
    differentiableStatistics: fc.boolean(),
    epsilon: fc.constantFrom(1e-3, 1e-5, 1),
    mean: fc.constantFrom(0, 3, -10_000),
    seed: fc.nat(1000),
  });

/** Cases for kernels that do not take views with `perOuter`. */
export const withoutPerOuter = anyCase.filter(({view}) => !view.perOuter);

/** Runs a test over cases, and checks that it leaves no tensor. */
export function checkCases(
  test: (options: Case) => Promise<void>,
  numRuns: number,
  cases = anyCase,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(cases, (options) => leavingNothing(() => test(options))),
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
export function dataOf({
  view,
  shape = [viewSize(view)],
  seed,
  mean,
  subtractMean,
}: Case): {
  x: Data;
  dy: Data;
  gamma: Data;
  beta: Data;
  dmean: Data;
  dvariance: Data;
} {
  const perParameter = [parametersCount(view)];
  const perStatistic = [statisticsCount(view)];
  return {
    // With a large mean, it would dominate the mean of squares.
    x: data(randomTensor(shape, seed, subtractMean ? mean : 0.5)),
    dy: data(randomTensor(shape, seed + 1)),
    gamma: data(randomTensor(perParameter, seed + 2, 1, 0.5)),
    beta: data(randomTensor(perParameter, seed + 3)),
    dmean: data(randomTensor(perStatistic, seed + 4)),
    dvariance: data(randomTensor(perStatistic, seed + 5)),
  };
}

/** Fails if tensors made inside remain afterwards. */
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
