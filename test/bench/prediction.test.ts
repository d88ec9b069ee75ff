import {extrapolate, predict} from '../../bench/prediction.js';

describe('extrapolate', () => {
  it('is in proportion to a single probe', () => {
    expect(extrapolate([{size: 4, milliseconds: 3}], 40)).toBeCloseTo(30, 10);
  });

  it.each([
    ['in proportion', (n: number) => 2 * n],
    ['with the square', (n: number) => 2 * n ** 2],
    ['not at all', () => 5],
  ])('follows a cost that grows %s', (_, timeOf) => {
    const probes = [2, 8].map((size) => ({size, milliseconds: timeOf(size)}));
    expect(extrapolate(probes, 64)).toBeCloseTo(timeOf(64), 8);
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
    expect(predicted).toBeCloseTo(2048, 8);
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
    expect(predicted).toBeCloseTo(1024 ** 2, 3);
  });

  it('tries nothing if there are no parts', async () => {
    const never = (): never => {
      throw new Error('tried');
    };
    await expect(predict(1, never, 10)).resolves.toBe(0);
  });
});
