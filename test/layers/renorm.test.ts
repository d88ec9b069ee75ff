// BatchNorm with renorm: Keras's numbers, its equivalence, its averages, its tools.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {batchNorm} from 'tfjs-normalization';
import {
  type KerasRenormCase,
  type Outcome,
  readFixture,
} from '../fixtures/fixtures.js';
import {
  built,
  type CallOptions,
  expectOutcome,
  type Found,
  nameOf,
  run,
  weightOf,
} from '../fixtures/layer_run.js';
import * as oracle from '../oracle/by_axes.js';
import {differences} from '../oracle/differences.js';
import {expectClose} from '../support/close.js';
import {
  magnitude,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_renorm.py.
const keras = readFixture('keras_renorm');

/*
 * Roundings of the largest value, as in keras_fixtures.test.ts, twice: x is normalized,
 * and what results is scaled by r and gamma and shifted by d and beta.
 */
const ROUNDINGS = {y: 16, dx: 32, dgamma: 32, dbeta: 16};

/**
 * The largest sum of |dy| over a statistic: that of the terms of dgamma and dbeta, which
 * may cancel.
 */
function termsOf(dy: tf.Tensor, axis: readonly number[]): number {
  const features = axis.map((a) => (a < 0 ? a + dy.rank : a));
  const others = dy.shape.map((_, i) => i).filter((i) => !features.includes(i));
  return magnitude(tf.sum(tf.abs(dy), others));
}

/*
 * Three steps, each a statistic of up to 16 values, its root, two products and a sum; for
 * the variance a square and a difference more.
 */
const STATE_ROUNDINGS = 24;

const STATE = [
  'moving_mean',
  'moving_variance',
  'moving_stddev',
  'renorm_mean',
  'renorm_stddev',
];

const maskOf = ({mask}: KerasRenormCase): CallOptions =>
  mask === undefined ? {} : {mask: tf.tensor(mask.values, mask.shape, 'bool')};

/** Compares outcomes; `terms` are those of {@link termsOf}. */
async function expectSums(
  {dgamma, dbeta, ...found}: Found,
  {dgamma: gamma, dbeta: beta, ...expected}: Outcome,
  terms: number,
): Promise<void> {
  await expectOutcome(found, expected, ROUNDINGS);
  for (const [what, actual, numbers] of [
    ['dgamma', dgamma, gamma],
    ['dbeta', dbeta, beta],
  ] as const) {
    expect([what, actual !== undefined]).toEqual([what, numbers !== undefined]);
    if (actual === undefined || numbers === undefined) continue;
    await expectClose(actual, numbers, {
      what,
      roundings: ROUNDINGS[what],
      scale: terms + magnitude(numbers),
    });
  }
}

async function expectState(
  layer: tf.layers.Layer,
  state: Readonly<Record<string, number[]>>,
  roundings: number,
): Promise<void> {
  for (const name of STATE) {
    const expected = state[name] ?? [];
    await expectClose(weightOf(layer, name), expected, {what: name, roundings});
  }
}

describe.each(
  [...keras.cases, ...keras.masked].flatMap((given) =>
    given.variants.map((variant) => ({...given, ...variant})),
  ),
)('Keras, $name, center $center, scale $scale', (given) => {
  const {shape, options, weights, steps, center, scale} = given;

  it('trains step by step, and predicts', async () => {
    const layer = built(
      batchNorm({renorm: true, ...options, center, scale}),
      shape,
      weights,
    );
    const tensors = ({
      x,
      dy,
    }: {
      x: number[];
      dy: number[];
    }): [tf.Tensor, tf.Tensor] => [tf.tensor(x, shape), tf.tensor(dy, shape)];
    for (const [i, step] of steps.entries()) {
      const expected = given.trained[i];
      if (expected === undefined) throw new Error('the fixture lacks a step');
      const {state, ...outcome} = expected;
      const call = {training: true, ...maskOf(given)};
      const [input, dy] = tensors(step);
      const found = run(layer, input, dy, call);
      await expectSums(found, outcome, termsOf(dy, [options.axis]));
      await expectState(layer, state, STATE_ROUNDINGS);
    }
    const [first] = steps;
    if (first === undefined) throw new Error('the fixture has no step');
    const before = weightsOf(layer);
    const [input, dy] = tensors(first);
    const found = run(layer, input, dy, maskOf(given));
    await expectSums(found, given.inference, termsOf(dy, [options.axis]));
    expect(weightsOf(layer)).toEqual(before);
  });
});

describe.each(keras.fresh)(
  'Keras, just built with a mean of $mean and a variance of $variance',
  ({mean, variance, shape, x, weights, first, y, state}) => {
    const make = (): tf.layers.Layer => {
      const layer = batchNorm({
        renorm: true,
        movingMeanInitializer: tf.initializers.constant({value: mean}),
        movingVarianceInitializer: tf.initializers.constant({value: variance}),
      });
      layer.build([null, ...shape.slice(1)]);
      return layer;
    };

    it('has its weights, in its order, with its values', async () => {
      const layer = make();
      expect(layer.weights.map(nameOf)).toEqual(weights);
      await expectState(layer, first, 0);
    });

    it('trains', async () => {
      const layer = make();
      const found = layer.apply(tf.tensor(x, shape), {training: true});
      await expectClose(found as tf.Tensor, y, {what: 'y', roundings: 16});
      await expectState(layer, state, STATE_ROUNDINGS);
    });

    it('starts again', async () => {
      const layer = make() as ReturnType<typeof batchNorm>;
      layer.apply(tf.tensor(x, shape), {training: true});
      layer.resetStatistics();
      await expectState(layer, first, 0);
    });
  },
);

const anyShape = fc
  .array(fc.constantFrom(1, 2, 3, 5), {minLength: 2, maxLength: 6})
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.subarray(
        shape.map((_, i) => i),
        {minLength: 1},
      ),
      seed: fc.nat(1000),
    }),
  );

it('is BatchNorm if r is held at 1 and d at 0', async () => {
  const renormClipping = {rmin: 1, rmax: 1, dmax: 0};
  await fc.assert(
    fc.asyncProperty(anyShape, async ({shape, axis, seed}) => {
      const [plain, renormed] = [
        {axis},
        {axis, renorm: true, renormClipping},
      ].map((options) => {
        const layer = batchNorm(options);
        layer.build(shape);
        const [gamma, beta, ...others] = layer.getWeights();
        if (!gamma || !beta) throw new Error('a layer lacks its parameters');
        layer.setWeights([
          randomTensor(gamma.shape, seed + 2, 1, 0.3),
          randomTensor(beta.shape, seed + 3),
          ...others,
        ]);
        const x = randomTensor(shape, seed, 3, 2);
        const dy = randomTensor(shape, seed + 1);
        const {variance} = oracle.batchNorm(valuesOf(x), shape, {
          axis,
          epsilon: 1e-3,
        });
        const steepest = 1 / Math.sqrt(Math.min(...variance) + 1e-3);
        return {
          found: run(layer, x, dy, {training: true}),
          terms: termsOf(dy, axis),
          // Of dx, whose terms cancel: gamma is 3 at most.
          size: 3 * steepest * magnitude(dy),
        };
      });
      if (!plain || !renormed) throw new Error('a layer has not run');
      const {terms, size} = plain;
      const scales = {dx: size, dgamma: 3 * terms, dbeta: terms};
      for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
        const expected = valuesOf(plain.found[key] as tf.Tensor);
        await expectClose(renormed.found[key] as tf.Tensor, expected, {
          what: key,
          roundings: ROUNDINGS[key],
          scale: key === 'y' ? magnitude(expected) : scales[key],
        });
      }
    }),
  );
});

/** r and d by their definition, in float64. */
function corrections(
  {mean, variance}: {mean: Float64Array; variance: Float64Array},
  layer: tf.layers.Layer,
  {epsilon, rmax, dmax}: {epsilon: number; rmax: number; dmax: number},
): {r: number[]; d: number[]} {
  const means = valuesOf(weightOf(layer, 'renorm_mean'));
  const stddevs = valuesOf(weightOf(layer, 'renorm_stddev'));
  const at = (values: ArrayLike<number>, i: number): number => values[i] ?? NaN;
  return {
    r: stddevs.map((stddev, i) =>
      Math.min(Math.sqrt(at(variance, i) + epsilon) / stddev, rmax),
    ),
    d: stddevs.map((stddev, i) =>
      Math.max(-dmax, Math.min((at(mean, i) - at(means, i)) / stddev, dmax)),
    ),
  };
}

describe('the definition in float64', () => {
  const epsilon = 1e-3;
  const renormClipping = {rmax: 1.25, dmax: 0.5};

  const setUp = (
    shape: number[],
    axis: number[],
    seed: number,
  ): {layer: tf.layers.Layer; x: tf.Tensor; dy: tf.Tensor} => {
    const layer = batchNorm({axis, renorm: true, epsilon, renormClipping});
    layer.build(shape);
    const random = (deviation: number, mean: number, i: number): tf.Tensor =>
      randomTensor(
        layer.weights[i]?.shape as number[],
        seed + i,
        mean,
        deviation,
      );
    layer.setWeights([
      random(0.3, 1, 0),
      random(1, 0, 1),
      random(1, 0, 2),
      tf.abs(random(1, 2, 3)),
      tf.abs(random(1, 2, 4)),
      random(1, 0, 5),
      tf.add(tf.abs(random(1, 2, 6)), 0.5),
    ]);
    const x = randomTensor(shape, seed + 10, 1, 2);
    return {layer, x, dy: randomTensor(shape, seed + 11)};
  };

  it('has these outputs and gradients, over any axes', async () => {
    await fc.assert(
      fc.asyncProperty(anyShape, async ({shape, axis, seed}) => {
        const {layer, x, dy} = setUp(shape, axis, seed);
        const values = valuesOf(x);
        const plain = oracle.batchNorm(values, shape, {axis, epsilon});
        const {r, d} = corrections(plain, layer, {epsilon, ...renormClipping});
        const gamma = valuesOf(weightOf(layer, 'gamma'));
        const beta = valuesOf(weightOf(layer, 'beta'));
        const by = (a: number[], b: number[]): number[] =>
          a.map((value, i) => value * (b[i] ?? NaN));
        const effective = {
          axis,
          epsilon,
          gamma: by(r, gamma),
          beta: by(d, gamma).map((value, i) => value + (beta[i] ?? NaN)),
        };
        const expected = oracle.batchNorm(values, shape, effective);
        const gradients = oracle.batchNormGrad(
          {dy: valuesOf(dy)},
          values,
          shape,
          effective,
        );
        const dbeta = Array.from(gradients.dbeta);
        const dgamma = Array.from(
          gradients.dgamma,
          (value, i) =>
            value * (r[i] ?? NaN) + (dbeta[i] ?? NaN) * (d[i] ?? NaN),
        );
        const found = run(layer, x, dy, {training: true});
        const size = magnitude(valuesOf(dy)) * 2;
        await expectClose(found.y, expected.y, {
          what: 'y',
          roundings: ROUNDINGS.y,
          scale: magnitude([
            ...expected.y,
            ...effective.gamma,
            ...effective.beta,
          ]),
        });
        // Of values that are nearly equal, the deviation is as small as sqrt(epsilon).
        const steepest = magnitude(
          effective.gamma.map(
            (g, i) => g / Math.sqrt((plain.variance[i] ?? NaN) + epsilon),
          ),
        );
        await expectClose(found.dx, gradients.dx, {
          what: 'dx',
          roundings: ROUNDINGS.dx,
          scale: size * steepest,
        });
        for (const [what, actual, numbers] of [
          ['dgamma', found.dgamma, dgamma],
          ['dbeta', found.dbeta, dbeta],
        ] as const) {
          await expectClose(actual as tf.Tensor, numbers, {
            what,
            roundings: ROUNDINGS.dgamma,
            scale: termsOf(dy, axis) * Math.max(1, magnitude([...r, ...d])),
          });
        }
      }),
    );
  });

  it('has the gradient of its output with r and d held', async () => {
    const shape = [5, 3];
    const {layer, x, dy} = setUp(shape, [1], 7);
    const at = valuesOf(x);
    const plain = oracle.batchNorm(at, shape, {axis: 1, epsilon});
    const {r, d} = corrections(plain, layer, {epsilon, ...renormClipping});
    const gamma = valuesOf(weightOf(layer, 'gamma'));
    const upstream = valuesOf(dy);
    const expected = differences(at, (moved) => {
      const {y} = oracle.batchNorm(moved, shape, {axis: 1, epsilon});
      return y.reduce((sum, value, i) => {
        const c = i % 3;
        const corrected = value * (r[c] ?? NaN) + (d[c] ?? NaN);
        return sum + corrected * (gamma[c] ?? NaN) * (upstream[i] ?? NaN);
      }, 0);
    });
    const {dx} = run(layer, x, dy, {training: true});
    await expectClose(dx, expected, {what: 'dx', roundings: 64});
  });
});
