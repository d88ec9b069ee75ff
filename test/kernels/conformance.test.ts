// Compares the running backend's four kernels with the oracle in float64: any
// view, any options, first and second order, NaN and infinity.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  APPLY_STATISTICS,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type View,
  packGradInputs,
  packParameters,
} from '../../src/kernels/contract.js';
import {withFused} from '../../bench/fused.js';
import {runKernel} from '../../src/ops/run_kernel.js';
import {expectCloseNow} from '../support/close.js';
import {magnitude, valuesOf} from '../support/tensors.js';
import {
  attributesOf,
  expectApplied,
  expectGradients,
  expectNormalized,
} from './agreement.js';
import {anyCase, type Case, checkCases, dataOf} from './views.js';

const check = (test: (options: Case) => Promise<void>): Promise<void> =>
  checkCases(test, 60);

describe('Normalize', () => {
  it('agrees with the oracle', () => check(expectNormalized));
});

describe('ApplyStatistics', () => {
  it('agrees with the oracle', () => check(expectApplied));
});

describe('NormalizeGrad', () => {
  it.each([
    ['', {given: false, recorded: false}],
    [', with what Normalize kept', {given: false, recorded: true}],
    [', statistics given', {given: true, recorded: false}],
  ])('agrees with the oracle%s', (_, how) =>
    check((options) => expectGradients(options, how)),
  );
});

describe('MovingStatistics', () => {
  it('moves by the rate, and keeps both statistics if one is not finite', () => {
    const kernel = (mean: number[], variance: number[]): number[][] =>
      runKernel(MOVING_STATISTICS, [
        tf.tensor1d([0, 10, 20, 30]),
        tf.tensor1d([1, 2, 3, 4]),
        tf.tensor1d(mean),
        tf.tensor1d(variance),
        tf.scalar(0.25),
      ]).map(valuesOf);
    expect(kernel([4, 4, 4, 4], [5, 5, 5, 5])).toEqual([
      [1, 8.5, 16, 23.5],
      [2, 2.75, 3.5, 4.25],
    ]);
    expect(kernel([NaN, 4, 4, -Infinity], [5, NaN, Infinity, 5])).toEqual([
      [0, 10, 20, 30],
      [1, 2, 3, 4],
    ]);
    // The sum of these overflows, and each is finite. Two products and a sum.
    expectCloseNow(
      [kernel([3e38, 4, 4, 4], [3e38, 5, 5, 5])[0]?.[0] ?? NaN],
      [0.75e38],
      {what: 'mean', roundings: 4},
    );
  });
});

describe('a NaN', () => {
  const view: View = {batch: 1, outer: 3, group: 3, channel: 1, inner: 1};
  const attributes = {
    view,
    epsilon: 1e-3,
    subtractMean: true,
    scale: false,
    center: false,
    differentiableStatistics: false,
  };

  it('stays in its statistic', () => {
    const x = tf.tensor2d([
      [1, NaN, 1],
      [2, 1, Infinity],
      [3, 1, 1],
    ]);
    const [y, mean, variance] = runKernel(NORMALIZE, [x], attributes);
    const finite = (tensor: tf.Tensor | undefined): boolean[] =>
      valuesOf(tensor as tf.Tensor).map(Number.isFinite);
    expect(finite(y)).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
      true,
      false,
      false,
    ]);
    expect(finite(variance)).toEqual([true, false, false]);
    expect(finite(mean)[0]).toBe(true);
    expect(finite(mean)[1]).toBe(false);
  });
});

describe('NaN and infinity', () => {
  const finiteIn = (tensors: tf.Tensor[]): boolean[][] =>
    tensors.map((tensor) => valuesOf(tensor).map(Number.isFinite));

  it('spread as they do in core ops', () => {
    const cases = fc.tuple(
      anyCase,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(NaN, Infinity, -Infinity)), {
        minLength: 1,
        maxLength: 3,
      }),
    );
    fc.assert(
      fc.property(cases, ([options, strange]) => {
        const attributes = {...attributesOf(options), center: true};
        tf.tidy((): void => {
          const {x, dy, gamma, beta} = dataOf(options);
          const values = Float32Array.from(x.values);
          for (const [at, value] of strange) values[at % values.length] = value;
          const input = tf.tensor(values, x.tensor.shape);
          const compute = (): boolean[][] => {
            const scale = options.scale ? gamma.tensor : undefined;
            const forward = runKernel(
              NORMALIZE,
              [input, ...packParameters({gamma: scale, beta: beta.tensor})],
              attributes,
            );
            const [, mean, variance] = forward as [
              tf.Tensor,
              tf.Tensor,
              tf.Tensor,
            ];
            const gradients = runKernel(
              NORMALIZE_GRAD,
              packGradInputs({
                dy: dy.tensor,
                x: input,
                mean,
                variance,
                gamma: scale,
              }),
              {...attributes, differentiableStatistics: false, given: false},
            );
            return finiteIn([...forward, ...gradients]);
          };
          expect(compute()).toEqual(withFused(false, compute));
        });
      }),
      {numRuns: 40},
    );
  });
});

describe('an empty tensor', () => {
  it.each([
    {batch: 0, outer: 1, group: 1, channel: 4, inner: 1},
    {batch: 1, outer: 0, group: 4, channel: 1, inner: 1},
    {batch: 2, outer: 3, group: 0, channel: 1, inner: 1},
  ])('stays empty, with gradients of zero: %j', (view) => {
    const x = tf.tensor1d([]);
    const gamma = tf.ones([view.group * view.channel]);
    const attributes = {
      view,
      epsilon: 1e-3,
      subtractMean: true,
      scale: true,
      center: true,
      differentiableStatistics: false,
    };
    const [y, mean, variance] = runKernel(
      NORMALIZE,
      [x, gamma, gamma],
      attributes,
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    expect([y.size, mean.size]).toEqual([0, view.batch * view.group]);
    const [applied] = runKernel(
      APPLY_STATISTICS,
      [x, mean, variance, gamma, gamma],
      attributes,
    );
    expect(applied?.size).toBe(0);
    const gradients = runKernel(NORMALIZE_GRAD, [x, x, mean, variance, gamma], {
      ...attributes,
      given: false,
    });
    expect(gradients.map(({size}) => size)).toEqual([
      0,
      gamma.size,
      gamma.size,
    ]);
    for (const gradient of gradients) {
      expect(magnitude(gradient)).toBe(0);
    }
  });
});
