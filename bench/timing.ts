import {setImmediate} from 'node:timers/promises';
import {oneLine, reasonOf} from '../tools/errors.js';
import type {Cell} from './results.js';
import {quantile} from './statistics.js';

/**
 * A measured program. It may return its own time in milliseconds, where a clock
 * around it would include the caller's overhead.
 */
export type Program = () => Promise<number | undefined>;

/** Schedule of measurements. */
export interface Schedule {
  /** The time, in milliseconds, after which a program has run often enough. */
  readonly budget: number;
  /** The most runs that count. */
  readonly runs: number;
  /**
   * Runs before all others, whose time is no part of the budget: the first on a GPU
   * compiles the programs, which may take longer than a hundred others. Defaults to 0.
   */
  readonly first?: number;
  /**
   * The most warm-up runs, which do not count and take at most half of the
   * budget.
   */
  readonly warmUp: number;
  /** A clock in milliseconds. Defaults to the process's. */
  readonly now?: () => number;
}

/**
 * Runs programs in turn, so that other load on the machine affects all of them
 * equally; first to warm up, which takes JavaScript about a hundred runs, then
 * for the runs that count. A slow program runs less often, at least once, with
 * fewer warm-up runs; a single run always counts. A program that throws is
 * dropped, and the reason kept.
 */
export async function interleave<Name extends string>(
  programs: Readonly<Partial<Record<Name, Program>>>,
  {budget, runs, first = 0, warmUp, now = () => performance.now()}: Schedule,
): Promise<Partial<Record<Name, Cell>>> {
  const entries = Object.entries<Program | undefined>(programs);
  const entrants = entries.map(([name, run]) => ({
    name,
    run,
    meter: newMeter(),
  }));
  const inTurn = async (
    turns: number,
    isDone: (meter: Meter) => boolean,
  ): Promise<void> => {
    for (let turn = 0; turn < turns; turn++) {
      // Computations never yield, and Ctrl-C would not be handled.
      await setImmediate();
      for (const {run, meter} of entrants) {
        if (run === undefined || meter.failure !== undefined) continue;
        if (!isDone(meter)) await runOnce(run, meter, now);
      }
    }
  };
  await inTurn(first, () => false);
  for (const {meter} of entrants) meter.times.length = 0;
  await inTurn(warmUp, ({times}) => sum(times) >= budget / 2);
  for (const {meter} of entrants) meter.warm = meter.times.length;
  await inTurn(runs, ({times}) => sum(times) > budget);
  const cells = entrants.map(({name, meter}) => [name, cellOf(meter)]);
  return Object.fromEntries(cells) as Partial<Record<Name, Cell>>;
}

/** The runs of one program so far. */
interface Meter {
  readonly times: number[];
  /** The number of warm-up runs. */
  warm: number;
  failure?: string;
}

const newMeter = (): Meter => ({times: [], warm: 0});

async function runOnce(
  run: Program,
  meter: Meter,
  now: () => number,
): Promise<void> {
  const begin = now();
  try {
    const own = await run();
    meter.times.push(own ?? now() - begin);
  } catch (error) {
    meter.failure = `throws: ${oneLine(reasonOf(error))}`;
  }
}

function cellOf({times, warm, failure}: Meter): Cell {
  if (failure !== undefined) return {unavailable: failure};
  const counted = times.slice(Math.min(warm, Math.floor(times.length / 2)));
  return {
    median: quantile(counted, 0.5),
    q1: quantile(counted, 0.25),
    q3: quantile(counted, 0.75),
    runs: counted.length,
    total: sum(counted),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
