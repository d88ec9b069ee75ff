import type {Cell, Timing} from '../../bench/results.js';
import {interleave, type Program} from '../../bench/timing.js';

/** A clock that only programs move. */
function clock(): {now: () => number; taking: (ms: number) => Program} {
  let time = 0;
  const taking = (milliseconds: number): Program => {
    return () => {
      time += milliseconds;
      return Promise.resolve(undefined);
    };
  };
  return {now: () => time, taking};
}

const timing = (cell?: Cell): Timing => cell as Timing;

describe('interleave', () => {
  it('runs the programs in turn, and leaves the first runs out', async () => {
    const order: string[] = [];
    const program = (name: string): Program => {
      return () => {
        order.push(name);
        // The first two do not count.
        return Promise.resolve(order.length <= 4 ? 1000 : 1);
      };
    };
    const cells = await interleave(
      {a: program('a'), b: program('b')},
      {budget: 10_000, runs: 2, warmUp: 2},
    );
    expect(order.join('')).toBe('abababab');
    expect(cells.a).toEqual({median: 1, q1: 1, q3: 1, runs: 2, total: 2});
    expect(cells.b).toEqual(cells.a);
  });

  it('runs a program over its budget only once, and counts that run', async () => {
    const {now, taking} = clock();
    const {quick, slow} = await interleave(
      {quick: taking(2), slow: taking(50)},
      {budget: 40, runs: 4, warmUp: 1, now},
    );
    expect(quick).toMatchObject({median: 2, runs: 4});
    expect(slow).toMatchObject({median: 50, runs: 1, total: 50});
  });

  it('counts at least half of the runs if the budget ends them', async () => {
    const {now, taking} = clock();
    const {slow} = await interleave(
      {slow: taking(20)},
      {budget: 70, runs: 10, warmUp: 3, now},
    );
    expect(slow).toMatchObject({runs: 2});
  });

  it('takes the first runs out of the budget, where they compile', async () => {
    const {now, taking} = clock();
    let runs = 0;
    const compiling: Program = () => taking((runs += 1) === 1 ? 4000 : 20)();
    const {a} = await interleave(
      {a: compiling},
      {budget: 100, first: 1, runs: 3, warmUp: 2, now},
    );
    expect(a).toMatchObject({median: 20, runs: 3});
    expect(runs).toBe(6);
  });

  it('gives the quartiles', async () => {
    const times = [9, 5, 1, 3, 7, 5];
    const {a} = await interleave(
      {a: () => Promise.resolve(times.shift())},
      {budget: 100, runs: 5, warmUp: 1},
    );
    // Of 1, 3, 5, 5 and 7.
    expect(timing(a)).toMatchObject({q1: 3, median: 5, q3: 5, total: 21});
  });

  it('prefers the time that a program returns to that of the clock', async () => {
    const {now, taking} = clock();
    const {a} = await interleave(
      {a: () => taking(100)().then(() => 7)},
      {budget: 20, runs: 2, warmUp: 0, now},
    );
    expect(a).toMatchObject({median: 7, runs: 2});
  });

  it('drops a program that throws, with the reason, and goes on with the others', async () => {
    let runs = 0;
    const throwing: Program = () => {
      runs += 1;
      return Promise.reject(new Error('too\nlarge'));
    };
    const {bad, good} = await interleave(
      {bad: throwing, good: clock().taking(1)},
      {budget: 10, runs: 3, warmUp: 0},
    );
    expect(bad).toEqual({unavailable: 'throws: too large'});
    expect(good).toMatchObject({runs: 3});
    expect(runs).toBe(1);
  });
});
