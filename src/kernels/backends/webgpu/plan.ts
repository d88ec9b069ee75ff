import type {Form} from '../../geometry.js';

/*
 * The cut of a view into workgroups. A workgroup has lanes, which share the values of an
 * item among them, and works at several items at once. An item holds the values that a
 * statistic, or a gradient of a parameter, is computed from; long ones are cut into chunks.
 */

/** The same form as one long run for each item, where it is one. */
export function asOneRun(form: Form): Form {
  const {batch, outer, group, run} = form;
  return group === 1 ? {batch, outer: 1, group, run: outer * run} : form;
}

/** The parts of a grid that the code of a shader depends on. */
export interface Lanes {
  /** The number of floats a lane reads at once: of neighbouring items, or of one. */
  readonly width: 1 | 4;
  /** If true, neighbouring values belong to neighbouring items. */
  readonly columns: boolean;
  /** If true, the values of an item lie in one run. */
  readonly flat: boolean;
  /** Threads that share an item. */
  readonly lanes: number;
  /** Items in a workgroup. */
  readonly across: number;
}

/** A form in units of `width` floats, spread over workgroups. */
export interface Grid extends Form, Lanes {
  readonly items: number;
  /** Units of an item. */
  readonly length: number;
  /** Workgroups that share an item. */
  readonly chunks: number;
}

/** Threads of a workgroup: at least, and at most, as every device has them. */
const FEW_THREADS = 64;
const MOST_THREADS = 256;

/** Neighbouring columns that are read together: 16 of 16 bytes. */
const COLUMNS = 16;

/** Units that a thread goes through, on average: to keep it busy, and to sum up. */
const UNITS = 8;
const UNITS_OF_A_SUM = 32;

/** Sums are cut into about so many workgroups, which is enough for any device. */
const ENOUGH_WORKGROUPS = 512;

/**
 * Spreads a form over workgroups.
 *
 * @param wide If true, four floats may be read at once as far as alignment is concerned.
 * @param sums If true, few chunks are better: somebody has to put their sums together.
 */
export function gridOf(form: Form, wide: boolean, sums: boolean): Grid {
  const {batch, outer} = form;
  const columns = form.run === 1;
  const width = wide && (columns ? form.group : form.run) % 4 === 0 ? 4 : 1;
  const group = columns ? form.group / width : form.group;
  const run = columns ? 1 : form.run / width;
  const items = batch * group;
  const length = outer * run;
  const side = columns ? Math.min(COLUMNS, powerOfTwo(items)) : 1;
  const lanes = Math.min(MOST_THREADS / side, powerOfTwo(length / UNITS));
  const across = Math.max(side, FEW_THREADS / lanes);
  const blocks = Math.ceil(items / across);
  const chunks = sums
    ? Math.min(
        Math.ceil(length / lanes / UNITS_OF_A_SUM),
        Math.max(1, Math.floor(ENOUGH_WORKGROUPS / blocks)),
      )
    : Math.ceil(length / lanes / UNITS);
  return {
    ...{width, columns, lanes, across, chunks, items, length},
    flat: outer === 1 && !columns,
    ...{batch, outer, group, run},
  };
}

/** A grid that puts so many sums together for each of so many items. */
export function foldingGrid(items: number, sums: number, group: number): Grid {
  const lanes =
    sums > COLUMNS ? Math.min(FEW_THREADS, powerOfTwo(sums / 4)) : 1;
  return {
    ...{width: 1, columns: false, flat: true, lanes, items, group},
    ...{across: FEW_THREADS / lanes, chunks: 1, length: sums},
    ...{batch: items / group, outer: 1, run: 1},
  };
}

/** The least power of two from 1 that is not below. */
function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

/**
 * The workgroups of a grid, in two dimensions where one has not enough of them.
 *
 * @param most In each dimension.
 */
export function dispatchOf(
  {items, across, chunks}: Grid,
  most: number,
): [number, number, number] {
  const count = Math.ceil(items / across) * chunks;
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}
