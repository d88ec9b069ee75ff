// Equivalences within the family: layers that are the same where their statistics are of
// the same values.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {ops} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {magnitude, randomTensor, valuesOf} from '../support/tensors.js';

/** A normalization with a gamma and a beta, one value a channel or spread over more. */
type Norm = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => tf.Tensor;

interface Case {
  shape: number[];
  /** Of the channels. */
  axis: number;
  seed: number;
}

/** Any rank from 3 to 5, and any axis of channels but the batch's. */
const casesOf = (batches: number[]): fc.Arbitrary<Case> =>
  fc
    .record({
      batch: fc.constantFrom(...batches),
      lengths: fc.array(fc.integer({min: 3, max: 5}), {
        minLength: 2,
        maxLength: 4,
      }),
      // So that no statistic is of a few values, which might be nearly equal.
      long: fc.integer({min: 12, max: 20}),
      channels: fc.constantFrom(2, 4, 6),
      seed: fc.nat(1000),
    })
    .chain(({batch, lengths, long, channels, seed}) => {
      const [, ...rest] = lengths;
      return fc.nat(rest.length + 1).map((place) => {
        const others = [long, ...rest];
        const shape = [
          batch,
          ...others.slice(0, place),
          channels,
          ...others.slice(place),
        ];
        return {shape, axis: place + 1, seed};
      });
    });

interface Data {
  x: tf.Tensor;
  dy: tf.Tensor;
  gamma: tf.Tensor;
  beta: tf.Tensor;
}

function dataOf({shape, axis, seed}: Case): Data {
  const features = [shape[axis] ?? 1];
  return {
    x: randomTensor(shape, seed, 3),
    dy: randomTensor(shape, seed + 1),
    gamma: randomTensor(features, seed + 2, 1, 0.3),
    beta: randomTensor(features, seed + 3),
  };
}

/** Compares two normalizations forward and backward. */
function expectSame({x, dy, gamma, beta}: Data, norm: Norm, other: Norm): void {
  const parameters = [x, gamma, beta] as const;
  // A mean, a variance, a root and a product, in another order.
  expectCloseNow(norm(...parameters), other(...parameters), {
    what: 'y',
    roundings: 8,
    shape: x.shape,
  });
  const [found, expected] = [norm, other].map((f) =>
    tf.grads(f)([...parameters], dy),
  ) as [tf.Tensor[], tf.Tensor[]];
  expectCloseNow(found[0] as tf.Tensor, expected[0] as tf.Tensor, {
    what: 'dx',
    roundings: 16,
    shape: x.shape,
  });
  // Sums of so many terms, each of about 1, that may cancel.
  const terms = x.size / gamma.size;
  for (const [i, what] of [
    [1, 'dgamma'],
    [2, 'dbeta'],
  ] as const) {
    expectCloseNow(found[i] as tf.Tensor, expected[i] as tf.Tensor, {
      what,
      roundings: 8,
      scale: terms,
      shape: gamma.shape,
    });
  }
}

const RUNS = {numRuns: 30};
const epsilon = 1e-3;

describe('equivalences', () => {
  it('GroupNorm of one group is LayerNorm over all but the batch', () => {
    fc.assert(
      fc.property(casesOf([1, 2, 5]), (given) => {
        const {shape, axis} = given;
        const [, ...inner] = shape;
        const spread = (values: tf.Tensor): tf.Tensor =>
          tf.mul(
            tf.reshape(
              values,
              inner.map((n, i) => (i + 1 === axis ? n : 1)),
            ),
            tf.ones(inner),
          );
        expectSame(
          dataOf(given),
          (x, gamma, beta) => ops.groupNorm(x, {groups: 1, axis, gamma, beta}),
          (x, gamma, beta) =>
            ops.layerNorm(x, {
              axis: inner.map((_, i) => i + 1),
              gamma: spread(gamma),
              beta: spread(beta),
            }),
        );
      }),
      RUNS,
    );
  });

  it('GroupNorm of a group for each channel is InstanceNorm', () => {
    fc.assert(
      fc.property(casesOf([1, 2, 5]), fc.boolean(), (given, counted) => {
        const {shape, axis} = given;
        const groups = counted ? (shape[axis] ?? 1) : -1;
        expectSame(
          dataOf(given),
          (x, gamma, beta) => ops.groupNorm(x, {groups, axis, gamma, beta}),
          (x, gamma, beta) => ops.instanceNorm(x, {axis, gamma, beta}),
        );
      }),
      RUNS,
    );
  });

  it('BatchNorm of one example is InstanceNorm', () => {
    fc.assert(
      fc.property(casesOf([1]), (given) => {
        const {axis} = given;
        expectSame(
          dataOf(given),
          (x, gamma, beta) => ops.batchNorm(x, {axis, gamma, beta}).y,
          (x, gamma, beta) => ops.instanceNorm(x, {axis, gamma, beta}),
        );
      }),
      RUNS,
    );
  });

  it('RMSNorm is LayerNorm of rows whose mean is 0', () => {
    fc.assert(
      fc.property(casesOf([1, 2, 5]), (given) => {
        const {shape, axis, seed} = given;
        // Each row beside its negative.
        const half = randomTensor(shape, seed);
        const x = tf.concat([half, tf.neg(half)], axis);
        const options = {axis, epsilon};
        const expected = ops.layerNorm(x, options);
        // LayerNorm subtracts a value of the row before it sums: its terms, and with
        // them the roundings of a mean that is 0, are up to twice as large as the values.
        expectCloseNow(ops.rmsNorm(x, options), expected, {
          what: 'y',
          roundings: 16,
          shape: x.shape,
        });
      }),
      RUNS,
    );
  });
});

type OfExamples = (
  x: tf.Tensor,
  options: {axis: number; gamma: tf.Tensor; epsilon: number},
) => tf.Tensor;

/** Each with the axes of one statistic; a group's varies at least as its channels do. */
const OF_EXAMPLES: Array<
  [string, OfExamples, (axis: number, rank: number) => number[]]
> = [
  ['InstanceNorm', ops.instanceNorm, others],
  [
    'GroupNorm',
    (x, options) => ops.groupNorm(x, {groups: 2, ...options}),
    others,
  ],
  ['LayerNorm', ops.layerNorm, (axis) => [axis]],
  ['RMSNorm', ops.rmsNorm, (axis) => [axis]],
];

/** All axes but the batch's and this one. */
function others(axis: number, rank: number): number[] {
  return Array.from({length: rank - 1}, (_, i) => i + 1).filter(
    (each) => each !== axis,
  );
}

describe.each(OF_EXAMPLES)('%s', (_, norm, axesOf) => {
  it('gives an example alone what it gives it in a batch', () => {
    fc.assert(
      fc.property(casesOf([2, 5]), fc.nat(1), (given, place) => {
        const {axis} = given;
        const {x, dy, gamma} = dataOf(given);
        const alone = (tensor: tf.Tensor): tf.Tensor =>
          tf.slice(tensor, place, 1);
        const f = (a: tf.Tensor): tf.Tensor => norm(a, {axis, gamma, epsilon});
        const {variance} = tf.moments(x, axesOf(axis, x.rank));
        const least = valuesOf(tf.min(variance))[0] ?? NaN;
        // Where values nearly coincide, what is rounded of them is divided by little.
        const inverse = 1 / Math.sqrt(least + epsilon);
        const scale = magnitude(x) * inverse;
        expectCloseNow(f(alone(x)), alone(f(x)), {
          what: 'y',
          roundings: 8,
          scale,
        });
        const gradient = tf.grad(f);
        expectCloseNow(gradient(alone(x), alone(dy)), alone(gradient(x, dy)), {
          what: 'dx',
          roundings: 8,
          scale: magnitude(dy) * inverse * scale,
        });
      }),
      RUNS,
    );
  });
});
