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

  it('runs a program that is over its budget once only, and counts that', async () => {
    let time = 0;
    const taking = (milliseconds: number) => () => {
      time += milliseconds;
      return Promise.resolve();
    };
    const [quick, slow] = await interleave([taking(2), taking(50)], {
      budget: 40,
      runs: 4,
      now: () => time,
    });
    expect(quick).toEqual({median: 2, runs: 4});
    expect(slow).toEqual({median: 50, runs: 1});
  });
});
