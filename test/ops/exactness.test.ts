import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, ops} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {valuesOf} from '../support/tensors.js';

/**
 * Returns the mean and biased variance in float64, of the float32 values
 * themselves.
 */
function statisticsOf(values: Float32Array): {mean: number; variance: number} {
  let sum = 0;
  for (const value of values) sum += value - (values[0] ?? 0);
  const mean = (values[0] ?? 0) + sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return {mean, variance: squares / values.length};
}

/** Returns normally distributed values around a large mean (Box and Muller). */
function farFromZero(count: number, mean: number): Float32Array {
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    {length: count},
    () =>
      mean +
      Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()),
  );
}

describe('exactness', () => {
  // Stock tfjs is exact here, so a rewrite must be too.
  it.each([0, 1, 2e3, 4e4, 1e6])(
    'layer norm of [v, v+1, v+2, v+3] is the same for every v: %d',
    (v) => {
      const y = ops.layerNorm(tf.tensor2d([[v, v + 1, v + 2, v + 3]]));
      const deviation = Math.sqrt(1.25 + 1e-3);
      const expected = [-1.5, -0.5, 0.5, 1.5].map((x) => x / deviation);
      // The differences are exact; the variance, epsilon, the root and the product are rounded.
      expectCloseNow(y, expected, {what: 'y', roundings: 8});
    },
  );

  it.each([0, 4e4, 1e6])(
    'batch norm of [v, v+1, v+2, v+3] is the same for every v: %d',
    (v) => {
      const {y} = ops.batchNorm(tf.tensor2d([[v], [v + 1], [v + 2], [v + 3]]));
      const deviation = Math.sqrt(1.25 + 1e-3);
      const expected = [-1.5, -0.5, 0.5, 1.5].map((x) => x / deviation);
      // As above.
      expectCloseNow(y, expected, {what: 'y', roundings: 8});
    },
  );

  // A plain two-pass sum in float32 is off by a factor of 137 here.
  it.each([
    ['channels last', [200_000, 1], -1],
    ['channels first', [2, 1, 100_000], 1],
    ['a prime number of values', [199_999, 1], -1],
  ])(
    'variance of 200,000 values of mean 1e4 and deviation 1, %s',
    (_, shape, axis) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const values = farFromZero(size, 1e4);
      const expected = statisticsOf(values);
      const {mean, variance} = ops.batchNorm(tf.tensor(values, shape), {axis});
      // float32 itself rounds the mean by up to 5e-4.
      expectCloseNow(mean, [expected.mean], {what: 'mean', roundings: 1});
      // Squares, and sums of them in two levels of 450.
      expectCloseNow(variance, [expected.variance], {
        what: 'variance',
        roundings: 16,
      });
    },
  );

  it('variance of equal squares, whose rounding errors all add up', () => {
    const values = Float32Array.from({length: 200_000}, (_, i) =>
      i % 2 === 0 ? 0.1 : -0.1,
    );
    const {variance} = ops.batchNorm(tf.tensor(values, [200_000, 1]));
    // Two levels of 450 additions, each off by up to one rounding of the sum so far,
    // which is half of the whole; and the square.
    expectCloseNow(variance, [statisticsOf(values).variance], {
      what: 'variance',
      roundings: 460,
    });
  });

  it.each([
    ['0.1, 200,000 times', 0.1, 200_000],
    ['1e4', 1e4, 1000],
    ['-3.3e7', -3.3e7, 77],
    ['0', 0, 64],
  ])('a constant gives beta exactly: %s', (_, value, count) => {
    const beta = tf.tensor1d([0.3]);
    const column = tf.fill([count, 1], value);
    const {y, variance} = ops.batchNorm(column, {beta});
    expect(new Set(valuesOf(y))).toEqual(new Set(valuesOf(beta)));
    expect(valuesOf(variance)).toEqual([0]);
    const row = ops.layerNorm(tf.fill([2, count], value));
    expect(new Set(valuesOf(row).map(Math.abs))).toEqual(new Set([0]));
  });

  it('the gradient does not suffer from the rounding of a large mean', () => {
    // Neither 1e4 + 1/3 nor the mean of these values is a float32 number.
    const rows = [0, 1, 2, 3, 5, 8].map((x) => x / 3);
    const dy = tf.tensor2d([1, -2, 3, 0.5, -1, 2], [1, 6]);
    const gradient = (offset: number): tf.Tensor[] => {
      const x = tf.tensor2d(
        rows.map((value) => offset + value),
        [1, 6],
      );
      // The float32 values shifted around zero: the same, but exact.
      const subtractMean = tf.sub(x, offset);
      const f = (a: tf.Tensor): tf.Tensor => ops.layerNorm(a);
      return [tf.grad(f)(x, dy), tf.grad(f)(subtractMean, dy)];
    };
    for (const offset of [1e3, 1e4, 1e5]) {
      const [far, near] = gradient(offset) as [tf.Tensor, tf.Tensor];
      // Three sums of dy and of what it flows through, of up to 3.
      expectCloseNow(far, near, {what: 'dx', roundings: 10, scale: 3});
    }
  });

  it('the layers are as exact as the ops', () => {
    const x = tf.fill([1000, 2], 0.1);
    const zeros = new Set([0]);
    const train = {training: true};
    const batch = batchNorm().apply(x, train) as tf.Tensor;
    const layer = layerNorm().apply(x) as tf.Tensor;
    expect(new Set(valuesOf(batch).map(Math.abs))).toEqual(zeros);
    expect(new Set(valuesOf(layer).map(Math.abs))).toEqual(zeros);
  });
});
