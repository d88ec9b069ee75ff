import {setImmediate} from 'node:timers/promises';
import {oneLine, reasonOf} from '../examples/digits/errors.js';
import type {Cell} from './results.js';
import {quantile} from './statistics.js';

/**
 * What is measured. It may give its own time in milliseconds, where whoever calls
 * it takes a part of what a clock around it would see.
 */
export type Program = () => Promise<number | undefined>;

/** How programs are measured. */
export interface Schedule {
  /** After how long, in milliseconds, a program has run often enough. */
  readonly budget: number;
  /** How many runs count at most. */
  readonly runs: number;
  /**
   * How many runs before them do not count, at most, for as long as they take half of
   * the budget.
   */
  readonly warmUp: number;
  /** A clock in milliseconds. Defaults to the process's. */
  readonly now?: () => number;
}

/**
 * Runs programs in turn, so that whatever else the machine does meets all of
 * them; first until each is warm, which takes JavaScript some hundred runs, and then
 * those that count. A slow one runs less often, once at least, and then fewer of its
 * runs do not count; the only one always does. One that throws is out, and told why.
 */
export async function interleave<Name extends string>(
  programs: Readonly<Partial<Record<Name, Program>>>,
  {budget, runs, warmUp, now = () => performance.now()}: Schedule,
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
      // What computes never waits, and Ctrl-C would not be heard.
      await setImmediate();
      for (const {run, meter} of entrants) {
        if (run === undefined || meter.failure !== undefined) continue;
        if (!isDone(meter)) await runOnce(run, meter, now);
      }
    }
  };
  await inTurn(warmUp, ({times}) => sum(times) >= budget / 2);
  for (const {meter} of entrants) meter.warm = meter.times.length;
  await inTurn(runs, ({times}) => sum(times) > budget);
  const cells = entrants.map(({name, meter}) => [name, cellOf(meter)]);
  return Object.fromEntries(cells) as Partial<Record<Name, Cell>>;
}

/** The runs of one program so far. */
interface Meter {
  readonly times: number[];
  /** How many of them were to get warm. */
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
