import {at} from '../../src/util/at.js';

describe('at', () => {
  it('returns the value, or NaN beyond the ends', () => {
    expect([at([3, 4], 1), at(new Float32Array([5]), 0)]).toEqual([4, 5]);
    expect([at([3], 1), at([3], -1), at([], 0)]).toEqual([NaN, NaN, NaN]);
  });
});
