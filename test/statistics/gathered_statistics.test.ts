import * as fc from 'fast-check';
import {GatheredStatistics} from '../../src/statistics/gathered_statistics.js';
import {sumOf} from '../oracle/sums.js';
import {expectCloseNow, FLOAT64_ROUNDING} from '../support/close.js';

function statisticsOf(values: readonly number[]): {
  mean: number;
  variance: number;
} {
  const mean = sumOf(values) / values.length;
  const squares = values.map((value) => (value - mean) ** 2);
  return {mean, variance: sumOf(squares) / values.length};
}

const nothing = {
  mean: Float64Array.of(7),
  variance: Float64Array.of(8),
};

function gather(parts: ReadonlyArray<readonly number[]>): {
  mean: number;
  variance: number;
} {
  const sums = new GatheredStatistics(1);
  for (const part of parts) {
    const {mean, variance} = statisticsOf(part);
    sums.add({mean: [mean], variance: [variance], count: [part.length]});
  }
  const {mean, variance} = sums.result(nothing);
  return {mean: mean[0] ?? NaN, variance: variance[0] ?? NaN};
}

describe('GatheredStatistics', () => {
  it('are those of all values, however these are split', () => {
    const value = fc.double({min: -1e3, max: 1e3, noNaN: true});
    const part = fc.array(value, {minLength: 1, maxLength: 9});
    const parts = fc.array(part, {minLength: 1, maxLength: 9});
    fc.assert(
      fc.property(parts, fc.constantFrom(0, 1e6), (cut, offset) => {
        const moved = cut.map((each) => each.map((v) => v + offset));
        const {mean, variance} = gather(moved);
        const values = moved.flat();
        const expected = statisticsOf(values);
        // float64 roundings of the means, of which there are a few for each part.
        const scale = 1e3 + offset;
        const rounding = FLOAT64_ROUNDING;
        expectCloseNow([mean], [expected.mean], {
          what: 'mean',
          roundings: 40,
          rounding,
          scale,
        });
        if (values.length < 2) return;
        expectCloseNow([variance], [expected.variance], {
          what: 'variance',
          roundings: 40,
          rounding,
          scale: scale * (1e3 + Math.sqrt(expected.variance)),
        });
      }),
    );
  });

  it('keep the given mean without values, and the given variance for one value', () => {
    expect(gather([])).toEqual({mean: 7, variance: 8});
    expect(gather([[3]])).toEqual({mean: 3, variance: 8});
    expect(gather([[3], [5]])).toEqual({mean: 4, variance: 1});
  });

  it('leave out channels that are not finite or have no values', () => {
    const sums = new GatheredStatistics(3);
    sums.add({mean: [1, 2, 3], variance: [1, 1, 1], count: [2, 2, 2]});
    sums.add({mean: [5, NaN, 9], variance: [1, 1, Infinity], count: [0, 2, 2]});
    const given = {mean: new Float64Array(3), variance: new Float64Array(3)};
    expect(sums.result(given)).toEqual({
      mean: Float64Array.of(1, 2, 3),
      variance: Float64Array.of(1, 1, 1),
      count: Float64Array.of(2, 2, 2),
    });
  });
});
