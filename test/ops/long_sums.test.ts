// Sums of a million equal values, so that every addition rounds the same way,
// are within 1e-5 of Σ|x|: on every backend, in any layout.
import * as tf from '@tensorflow/tfjs';
import {ops} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';

const VALUE = Math.fround(0.1);

/**
 * Of Σ|x|. Core ops sum a million in three levels of a hundred additions, each off by up
 * to one rounding of the sum so far, which is half of the whole; and there are products.
 */
const ROUNDINGS = 160;

/** x is 1 and −1 in turn, of mean 0 and variance 1. */
const alternating = (shape: number[], period: number): tf.Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({length: size}, (_, i) =>
    Math.floor(i / period) % 2 === 0 ? 1 : -1,
  );
  return tf.tensor(values, shape);
};

describe('sums of a million values', () => {
  it.each<[string, number[], number, number]>([
    ['one column', [1_000_000, 1], -1, 1],
    ['three columns', [1_000_000, 3], -1, 3],
    ['five columns', [1_000_000, 5], -1, 5],
    ['runs', [2, 1, 500_000], 1, 1],
    ['short runs', [100_000, 2, 10], 1, 20],
  ])('batch norm, %s', (_, shape, axis, period) => {
    tf.tidy(() => {
      const x = alternating(shape, period);
      const features = shape.at(axis) ?? 1;
      const [gamma, beta] = [tf.ones([features]), tf.zeros([features])];
      const {mean, variance} = ops.batchNorm(x, {axis});
      expectCloseNow(mean, Array<number>(features).fill(0), {
        what: 'mean',
        roundings: ROUNDINGS,
        scale: 1,
      });
      expectAll(variance, 1);
      const f = (scale: tf.Tensor, shift: tf.Tensor): tf.Tensor =>
        ops.batchNorm(x, {axis, gamma: scale, beta: shift}).y;
      // Σ dy is 1e5; in Σ dy · x̂ every other term cancels, so dy has x's sign there.
      const dy = tf.mul(x, VALUE);
      const [dgamma] = tf.grads(f)([gamma, beta], dy) as [tf.Tensor];
      const deviation = Math.sqrt(1 + 1e-3);
      expectAll(dgamma, (1_000_000 * VALUE) / deviation);
      const [, dbeta] = tf.grads(f)([gamma, beta], tf.fill(shape, VALUE));
      expectAll(dbeta as tf.Tensor, 1_000_000 * VALUE);
    });
  });

  it.each<[string, number[]]>([
    ['many rows', [1_000_000, 4]],
    ['one long row', [1, 1_000_000]],
  ])('layer norm, %s', (_, shape) => {
    tf.tidy(() => {
      const x = alternating(shape, 1);
      const length = shape[1] ?? 1;
      const rows = shape[0] ?? 1;
      const y = ops.layerNorm(x);
      const deviation = Math.sqrt(1 + 1e-3);
      const error = tf.max(tf.abs(tf.sub(y, tf.div(x, deviation))));
      expectCloseNow(error, [0], {
        what: 'the error of y',
        roundings: ROUNDINGS,
        scale: 1,
      });
      const f = (scale: tf.Tensor, shift: tf.Tensor): tf.Tensor =>
        ops.layerNorm(x, {gamma: scale, beta: shift});
      const parameters = [tf.ones([length]), tf.zeros([length])];
      const [dgamma, dbeta] = tf.grads(f)(parameters, tf.fill(shape, VALUE));
      expectAll(dbeta as tf.Tensor, rows * VALUE);
      expectAll(tf.abs(dgamma as tf.Tensor), (rows * VALUE) / deviation);
    });
  });
});

function expectAll(sums: tf.Tensor, expected: number): void {
  const error = tf.max(tf.abs(tf.sub(sums, expected)));
  expectCloseNow(error, [0], {
    what: 'the error of a sum',
    roundings: ROUNDINGS,
    scale: expected,
  });
}
