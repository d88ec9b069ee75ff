// gamma and beta that vary by example, as in conditional batch normalization, adaptive
// instance normalization and adaptive layer normalization: in every function on tensors.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {ops} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {magnitude, randomTensor} from '../support/tensors.js';

type Norm = (x: tf.Tensor, options: object) => tf.Tensor;

/** Bounds 1 / σ, however close the values of a statistic are. */
const EPSILON = 0.1;

const NORMS: Record<string, Norm> = {
  batchNorm: (x, options) => ops.batchNorm(x, options).y,
  layerNorm: ops.layerNorm,
  groupNorm: (x, options) => ops.groupNorm(x, {groups: 2, ...options}),
  instanceNorm: ops.instanceNorm,
  rmsNorm: ops.rmsNorm,
};

/** Functions whose feature axis is one, that of the channels. */
const OF_CHANNELS = ['groupNorm', 'instanceNorm'];

interface Case {
  shape: number[];
  /** Ascending, without the batch. */
  axis: number[];
  gammaVaries: boolean;
  betaVaries: boolean;
  seed: number;
}

const casesOf = (name: string): fc.Arbitrary<Case> =>
  fc
    .array(fc.constantFrom(2, 4), {minLength: 2, maxLength: 4})
    .chain((lengths) => {
      const axes = lengths.map((_, i) => i + 1);
      const maxLength = OF_CHANNELS.includes(name) ? 1 : axes.length;
      return fc.record({
        shape: fc.constantFrom(2, 3).map((batch) => [batch, ...lengths]),
        axis: fc.subarray(axes, {minLength: 1, maxLength}),
        gammaVaries: fc.boolean(),
        betaVaries: fc.boolean(),
        seed: fc.nat(1000),
      });
    });

describe.each(Object.entries(NORMS))('ops.%s', (name, norm) => {
  it('takes gamma and beta per example or shared, and gives gradients in all', () => {
    fc.assert(
      fc.property(casesOf(name), (given) => {
        const {shape, axis, gammaVaries, betaVaries, seed} = given;
        const options = {
          axis: OF_CHANNELS.includes(name) ? axis[0] : axis,
          epsilon: EPSILON,
        };
        const batch = shape.slice(0, 1);
        const features = axis.map((a) => shape[a] ?? 1);
        const shapeOf = (varies: boolean): number[] =>
          varies ? [...batch, ...features] : features;
        const x = randomTensor(shape, seed, 1);
        const dy = randomTensor(shape, seed + 1);
        const gamma = randomTensor(shapeOf(gammaVaries), seed + 2, 1, 0.5);
        const beta = randomTensor(shapeOf(betaVaries), seed + 3);

        const wide = (tensor: tf.Tensor, varies: boolean): tf.Tensor =>
          tf.reshape(
            tensor,
            shape.map((n, i) =>
              axis.includes(i) || (i === 0 && varies) ? n : 1,
            ),
          );
        const ours = (a: tf.Tensor, c: tf.Tensor, d: tf.Tensor): tf.Tensor =>
          norm(a, {...options, gamma: c, beta: d});
        const plain = (a: tf.Tensor, c: tf.Tensor, d: tf.Tensor): tf.Tensor =>
          tf.add(
            tf.mul(norm(a, options), wide(c, gammaVaries)),
            wide(d, betaVaries),
          );
        const y = plain(x, gamma, beta);
        // A product and a sum, of terms that may cancel: the largest of all are as large.
        expectCloseNow(ours(x, gamma, beta), y, {what: 'y', roundings: 8});
        const gradients = tf.grads(ours)([x, gamma, beta], dy);
        const expected = tf.grads(plain)([x, gamma, beta], dy);
        for (const [i, what] of ['dx', 'dgamma', 'dbeta'].entries()) {
          const [found, other] = [gradients, expected].map(
            (list) => list[i] as tf.Tensor,
          ) as [tf.Tensor, tf.Tensor];
          // dx is what is left of terms of dy · gamma / σ. A gradient of a parameter is a sum
          // of many terms of about 1, which may cancel, or of a few large ones.
          const scale =
            i === 0
              ? (magnitude(dy) * magnitude(gamma)) / Math.sqrt(EPSILON)
              : Math.max(x.size / other.size, magnitude(other));
          expectCloseNow(found, other, {
            what,
            roundings: 16,
            scale,
            shape: other.shape,
          });
        }
      }),
      {numRuns: 40},
    );
  });

  it('refuses a gamma or beta of another shape', () => {
    const x = tf.ones([2, 3, 4]);
    for (const parameter of ['gamma', 'beta']) {
      expect(() => norm(x, {[parameter]: tf.ones([3, 4])})).toThrow(
        `ops.${name}: ${parameter} must have the shape of the feature axes, [4], or ` +
          `one for each example, [2,4]. Received: ${parameter}.shape=[3,4]`,
      );
    }
  });
});
