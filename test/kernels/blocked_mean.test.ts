import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {blockedMean, blockedSum} from '../../src/kernels/blocked_mean.js';
import {expectClose} from '../support/close.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

/** Sums over all but the last axis, in float64. */
function sumToLast(x: tf.Tensor): number[] {
  const last = x.shape[x.rank - 1] ?? 1;
  const sums = new Array<number>(last).fill(0);
  valuesOf(x).forEach((value, i) => {
    sums[i % last] = (sums[i % last] ?? 0) + value;
  });
  return sums;
}

describe('blockedSum', () => {
  it.each([
    ['a million', [1_000_000, 1]],
    ['a prime number', [999_983, 1]],
    ['twice a prime', [19_946, 3]],
    ['few', [7, 3]],
  ])('is within 1e-5 of Σ|x| for as many values: %s', async (_, shape) => {
    // Equal values, so that every addition is rounded the same way.
    const x = tf.fill(shape, 0.1);
    const sums = blockedSum(x, [0], false);
    const expected = sumToLast(x);
    expect(sums.shape).toEqual([shape[1]]);
    // Three levels of a hundred additions or two of 140, each off by up to one rounding
    // of the sum so far, which is half of the whole.
    await expectClose(sums, expected, {what: 'sum', roundings: 150});
    await expectClose(blockedMean(x, [0]), [0.1, 0.1, 0.1].slice(0, shape[1]), {
      what: 'mean',
      roundings: 168,
    });
  });

  it.each([127, 512, 509, 1009])(
    'rounds only as two short sums do, for %s values in the middle',
    async (length) => {
      // Equal values, so that the roundings of a running sum have the same
      // sign.
      const sums = blockedSum(tf.fill([3, length, 3], 0.1), [1], true);
      const expected = Math.fround(0.1) * length;
      await expectClose(sums, new Array<number>(9).fill(expected), {
        what: 'sum',
        // A sum of n values is rounded n times; blocks have about √n values, or
        // few.
        roundings: 2 * Math.ceil(Math.sqrt(1009)),
        shape: [3, 1, 3],
      });
    },
  );

  it('sums over any axes of any rank, and keeps them if asked', async () => {
    const cases = fc
      .array(fc.integer({min: 1, max: 5}), {minLength: 1, maxLength: 6})
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.subarray([...shape.keys()], {minLength: 1}),
          fc.boolean(),
        ),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, axes, keepDims]) => {
        const x = randomTensor(shape, 3);
        const expected = tf.sum(x, axes, keepDims);
        await expectClose(blockedSum(x, axes, keepDims), valuesOf(expected), {
          what: 'sum',
          roundings: 32,
          scale: Math.sqrt(x.size) * 4,
          shape: expected.shape,
        });
      }),
      {numRuns: 60},
    );
  });

  it('over no axes changes nothing', () => {
    const x = tf.ones([2, 3]);
    expect(blockedSum(x, [], true)).toBe(x);
    expect(blockedMean(x, [])).toBe(x);
  });
});
