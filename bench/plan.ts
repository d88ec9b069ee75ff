import {join} from 'node:path';
import {casesOf, QUICK_SHAPES, SHAPES} from './cases.js';
import type {Options} from './options.js';
import {isDefault, type LayerCase} from './results.js';
import type {Schedule} from './timing.js';

/** The measurements to make, and their schedules. */
export interface Plan {
  readonly cases: readonly LayerCase[];
  readonly programs: boolean;
  /** If true, this process computes by the native kernels. */
  readonly native: boolean;
  readonly schedule: Schedule;
  /** For whole programs, which take longer than a layer. */
  readonly programSchedule: Schedule;
  /** Stock runs that need more milliseconds than this are not measured. */
  readonly limit: number;
  /** The number of epochs of the main job that count. */
  readonly epochs: number;
  readonly out: string;
}

const THOROUGH = {budget: 0.6, limit: 30, runs: 50, warmUp: 1000, epochs: 30};
const QUICK = {budget: 0.2, limit: 4, runs: 10, warmUp: 300, epochs: 2};

/** Shares of a program's time need more runs than ratios of layers. */
const PROGRAM_BUDGETS = 20;

/** Fills in the options that were not given. */
export function planOf(options: Options): Plan {
  const {quick, programs, native, shape} = options;
  const defaults = quick ? QUICK : THOROUGH;
  const {runs, warmUp, epochs} = defaults;
  const {budget = defaults.budget, limit = defaults.limit} = options;
  const shapes = shape ?? (quick ? QUICK_SHAPES : SHAPES);
  return {
    cases: programs && shape === undefined ? [] : casesOf(shapes),
    programs: programs || (shape === undefined && !quick),
    native,
    schedule: {budget: 1000 * budget, runs, warmUp},
    programSchedule: {budget: PROGRAM_BUDGETS * 1000 * budget, runs, warmUp},
    limit: 1000 * limit,
    epochs,
    out: options.out ?? (isWhole(options) ? WHOLE : PARTS),
  };
}

/**
 * The results of a partial run go elsewhere, so that they do not replace the
 * whole.
 */
const WHOLE = 'bench';
const PARTS = join('out', 'bench');

function isWhole(options: Options): boolean {
  const {quick, programs, shape, native, backend} = options;
  const isPart = quick || programs || native || shape !== undefined;
  return !isPart && isDefault(backend);
}
