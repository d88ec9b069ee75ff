import {interleave} from '../../bench/timing.js';

describe('interleave', () => {
  it('runs the programs in turn, and leaves the first run out', async () => {
    const order: string[] = [];
    const program = (name: string) => () => {
      order.push(name);
      return Promise.resolve();
    };
    const timings = await interleave([program('a'), program('b')], {
      budget: 1000,
      runs: 2,
    });
    expect(order.join('')).toBe('ababab');
    expect(timings.map(({runs}) => runs)).toEqual([2, 2]);
    expect(timings.every(({median}) => median >= 0)).toBe(true);
  });

  it('runs a program that is over its budget once only', async () => {
    const counts = [0, 0];
    const count = (i: number) => () => {
      counts[i] = (counts[i] ?? 0) + 1;
      return new Promise<void>((resolve) => setTimeout(resolve, i * 5));
    };
    await interleave([count(0), count(1)], {budget: 1, runs: 4});
    expect(counts[1]).toBe(1);
    expect(counts[0]).toBeGreaterThan(1);
  });
});
