// The four kernels of whatever backend runs, against the oracle in float64: any
// view, any options, first and second order, and what is not a number.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  APPLY_STATISTICS,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  statisticsCount,
  type View,
  viewSize,
} from '../../src/kernels/kernels.js';
import {
  packGradInputs,
  packParameters,
  unpackGradients,
} from '../../src/kernels/packing.js';
import {runKernel} from '../../src/ops/run_kernel.js';
import {applyStatistics, normalize, normalizeGrad} from '../oracle/view.js';
import {expectClose} from '../support/close.js';
import {magnitude, randomTensor, valuesOf} from '../support/tensors.js';
import {anyCase, type Case, dataOf, leavingNothing} from './views.js';

const attributesOf = (options: Case): NormalizeAttributes => {
  const {view, epsilon, centered, scale, center, statistics} = options;
  return {view, epsilon, centered, scale, center, statistics};
};

const check = (
  test: (options: Case) => Promise<void>,
  numRuns = 60,
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(anyCase, (options) => leavingNothing(() => test(options))),
    {numRuns},
  );

/** How large the normalized values and what multiplies them are. */
function scales(
  x: number[],
  {mean, variance}: {mean: Float64Array; variance: Float64Array},
  options: Case,
  gamma: number[],
): {normalized: number; inverse: number; gamma: number} {
  const {view, epsilon, center, scale} = options;
  const plain = applyStatistics(x, {mean, variance}, view, {
    epsilon,
    centered: options.centered,
  });
  return {
    // Never below one rounding of one deviation, the least that x itself has.
    normalized: Math.max(1, magnitude(Array.from(plain))) + (center ? 4 : 0),
    inverse: Math.max(...variance.map((v) => 1 / Math.sqrt(v + epsilon))),
    gamma: scale ? magnitude(gamma) : 1,
  };
}

describe('Normalize', () => {
  it('agrees with the oracle', async () => {
    await check(async (options) => {
      const {x, gamma, beta} = dataOf(options);
      const {view, centered, epsilon, scale, center} = options;
      const present = {
        gamma: scale ? gamma : undefined,
        beta: center ? beta : undefined,
      };
      const expected = normalize(x.values, view, {
        epsilon,
        centered,
        gamma: present.gamma?.values,
        beta: present.beta?.values,
      });
      const [y, mean, variance] = runKernel(
        NORMALIZE,
        [
          x.tensor,
          ...packParameters({
            gamma: present.gamma?.tensor,
            beta: present.beta?.tensor,
          }),
        ],
        attributesOf(options),
      ) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const size = scales(x.values, expected, options, gamma.values);
      // x − mean, its square's mean, the root, gamma and beta: each a few
      // roundings; sums in two levels add the root of their length.
      await expectClose(y, expected.y, {
        what: 'y',
        roundings: 24,
        scale: size.normalized * size.gamma,
        shape: x.tensor.shape,
      });
      await expectClose(mean, expected.mean, {
        what: 'mean',
        roundings: 8,
        scale: magnitude(x.values),
      });
      await expectClose(variance, expected.variance, {
        what: 'variance',
        roundings: 24,
        scale: Math.max(1, magnitude(Array.from(expected.variance))),
      });
      expect(Math.min(...valuesOf(variance))).toBeGreaterThanOrEqual(0);
    });
  });
});

describe('ApplyStatistics', () => {
  it('agrees with the oracle', async () => {
    await check(async (options) => {
      const {x, gamma, beta} = dataOf({...options, mean: 0});
      const {view, centered, epsilon, scale, center, seed} = options;
      const mean = randomTensor([statisticsCount(view)], seed + 6);
      const variance = tf.abs(randomTensor([statisticsCount(view)], seed + 7));
      const statistics = {
        mean: Float64Array.from(valuesOf(mean)),
        variance: Float64Array.from(valuesOf(variance)),
      };
      const expected = applyStatistics(x.values, statistics, view, {
        epsilon,
        centered,
        gamma: scale ? gamma.values : undefined,
        beta: center ? beta.values : undefined,
      });
      const parameters = packParameters({
        gamma: scale ? gamma.tensor : undefined,
        beta: center ? beta.tensor : undefined,
      });
      const [y] = runKernel(
        APPLY_STATISTICS,
        [x.tensor, mean, variance, ...parameters],
        attributesOf(options),
      );
      const size = scales(x.values, statistics, options, gamma.values);
      await expectClose(y as tf.Tensor, expected, {
        what: 'y',
        roundings: 8,
        scale: size.normalized * size.gamma,
        shape: x.tensor.shape,
      });
    });
  });
});

describe.each([false, true])('NormalizeGrad, statistics given: %s', (given) => {
  it('agrees with the oracle', async () => {
    await check(async (options) => {
      const {view, centered, epsilon, scale, statistics} = options;
      const flows = statistics && !given;
      const {x, dy, gamma, dmean, dvariance} = dataOf(options);
      const forward = normalize(x.values, view, {epsilon, centered});
      const rounded = {
        mean: Float32Array.from(forward.mean),
        variance: Float32Array.from(forward.variance),
      };
      const expected = normalizeGrad(
        {
          dy: dy.values,
          dmean: flows ? dmean.values : undefined,
          dvariance: flows ? dvariance.values : undefined,
        },
        x.values,
        view,
        {
          epsilon,
          centered,
          gamma: scale ? gamma.values : undefined,
          given: given ? rounded : undefined,
        },
      );
      const attributes = {
        ...attributesOf(options),
        center: true,
        statistics: flows,
        given,
      };
      const outputs = runKernel(
        NORMALIZE_GRAD,
        packGradInputs({
          dy: dy.tensor,
          dmean: flows ? dmean.tensor : undefined,
          dvariance: flows ? dvariance.tensor : undefined,
          x: x.tensor,
          mean: tf.tensor1d(rounded.mean),
          variance: tf.tensor1d(rounded.variance),
          gamma: scale ? gamma.tensor : undefined,
        }),
        attributes,
      );
      const {dx, dgamma, dbeta} = unpackGradients(outputs, attributes);
      const size = scales(x.values, forward, options, gamma.values);
      const flow = magnitude(dy.values) * size.gamma * size.inverse;
      const statisticsFlow = flows
        ? magnitude(dmean.values) +
          2 * magnitude(dvariance.values) * (size.normalized / size.inverse)
        : 0;
      await expectClose(dx, expected.dx, {
        what: 'dx',
        roundings: 32,
        scale: flow * (1 + size.normalized) + statisticsFlow,
        shape: x.tensor.shape,
      });
      const along = viewSize(view) / Math.max(1, view.group * view.channel);
      const sums = magnitude(dy.values) * Math.sqrt(along);
      if (scale) {
        await expectClose(dgamma as tf.Tensor, expected.dgamma, {
          what: 'dgamma',
          roundings: 32,
          scale: sums * size.normalized,
        });
      }
      await expectClose(dbeta as tf.Tensor, expected.dbeta, {
        what: 'dbeta',
        roundings: 16,
        scale: sums,
      });
    });
  });
});

describe('MovingStatistics', () => {
  it('moves by the rate, and keeps both where one is not finite', () => {
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
    // The sum of these overflows, and each is finite.
    expect(kernel([3e38, 4, 4, 4], [3e38, 5, 5, 5])[0]?.[0]).toBeCloseTo(
      0.75e38,
      -32,
    );
  });
});

describe('what is not a number', () => {
  const view: View = {batch: 1, outer: 3, group: 3, channel: 1, inner: 1};
  const attributes = {
    view,
    epsilon: 1e-3,
    centered: true,
    scale: false,
    center: false,
    statistics: false,
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
          const input = tf.tensor1d(values);
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
              {...attributes, statistics: false, given: false},
            );
            return finiteIn([...forward, ...gradients]);
          };
          const fused = compute();
          tf.env().set('NORMALIZATION_FUSED', false);
          try {
            expect(fused).toEqual(compute());
          } finally {
            tf.env().set('NORMALIZATION_FUSED', true);
          }
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
      centered: true,
      scale: true,
      center: true,
      statistics: false,
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
