import {quantile} from '../../bench/statistics.js';

describe('quantile', () => {
  // numpy.quantile([4, 1, 3, 2], [0, .25, .5, 1]) and of [5].
  it.each([
    [[4, 1, 3, 2], 0, 1],
    [[4, 1, 3, 2], 0.25, 1.75],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[4, 1, 3, 2], 1, 4],
    [[5], 0.25, 5],
  ])('of %j at %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });

  it('does not reorder its argument', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });

  it('is NaN for an empty list', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});
