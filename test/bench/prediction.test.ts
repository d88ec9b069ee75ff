import {extrapolate, predict} from '../../bench/prediction.js';
import {expectCloseNow, FLOAT64_ROUNDING} from '../support/close.js';

/** A power of a ratio, of a logarithm. */
const CLOSE = {what: 'a time', roundings: 100, rounding: FLOAT64_ROUNDING};

describe('extrapolate', () => {
  it('is in proportion to a single probe', () => {
    expectCloseNow(
      [extrapolate([{size: 4, milliseconds: 3}], 40)],
      [30],
      CLOSE,
    );
  });

  it.each([
    ['in proportion', (n: number) => 2 * n],
    ['with the square', (n: number) => 2 * n ** 2],
    ['not at all', () => 5],
  ])('follows a cost that grows %s', (_, timeOf) => {
    const probes = [2, 8].map((size) => ({size, milliseconds: timeOf(size)}));
    expectCloseNow([extrapolate(probes, 64)], [timeOf(64)], CLOSE);
  });
});

describe('predict', () => {
  it('tries larger and larger parts, the first one twice', async () => {
    const sizes: number[] = [];
    const predicted = await predict(
      2048,
      (size) => {
        sizes.push(size);
        return Promise.resolve(size);
      },
      1e6,
    );
    expect(sizes).toEqual([2, 2, 8, 32, 128, 512]);
    expectCloseNow([predicted], [2048], CLOSE);
  });

  it('never tries what it expects to take more than a quarter of the limit', async () => {
    const sizes: number[] = [];
    const predicted = await predict(
      1024 ** 2,
      (size) => {
        sizes.push(size);
        return Promise.resolve(size);
      },
      20_000,
    );
    // 16,384 would take 16 s, but 5 are allowed.
    expect(sizes).toEqual([1024, 1024, 4096]);
    expectCloseNow([predicted], [1024 ** 2], CLOSE);
  });

  it('tries nothing if there are no parts', async () => {
    const never = (): never => {
      throw new Error('tried');
    };
    await expect(predict(1, never, 10)).resolves.toBe(0);
  });
});
