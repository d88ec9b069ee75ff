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

/**
 * Threads of a workgroup. Larger ones let more lanes share an item, but lanes that meet at a
 * barrier wait for each other: on some devices each of them is put aside and resumed.
 */
const THREADS = 64;

/** Lanes that share a sum: one of them puts together what all have. */
const LANES_OF_A_SUM = 16;

/** Neighbouring columns that are read together: 16 of 16 bytes. */
const COLUMNS = 16;

/** Units that a thread goes through: what it knows of an item is to pay off. */
const UNITS = 16;
const UNITS_OF_A_SUM = 32;

/** Sums that one thread puts together alone. */
const SUMS_OF_A_THREAD = 64;

/**
 * Spreads a form over workgroups, to write a value for each of its own.
 *
 * @param wide If true, four floats may be read at once as far as alignment is concerned.
 * @param parts How many parts there are of each statistic. A thread reads them all.
 */
export function gridOf(form: Form, wide: boolean, parts = 1): Grid {
  const units = unitsOf(form, wide);
  const each = Math.max(UNITS, parts / 2);
  const lanes = Math.min(
    THREADS / sideOfGroup(units),
    powerOfTwo(units.length / each),
  );
  const chunks = Math.ceil(units.length / lanes / each);
  return {...units, lanes, across: THREADS / lanes, chunks};
}

/**
 * Spreads a form over workgroups, to add up its items. With `lanes` lanes it takes a time of
 * `length / lanes` to add up and one of about `4 · lanes` to put the lanes' sums together,
 * and likewise with chunks, which whoever needs the sum puts together once more: roots of
 * the length make both small.
 */
export function summingGrid(form: Form, wide: boolean): Grid {
  const units = unitsOf(form, wide);
  const {length} = units;
  const root = Math.sqrt(length);
  const lanes = Math.min(
    ...[LANES_OF_A_SUM, THREADS / sideOfGroup(units), powerOfTwo(root / 2)],
  );
  const chunks = Math.ceil(Math.min(length / lanes / UNITS_OF_A_SUM, root / 5));
  return {...units, lanes, across: THREADS / lanes, chunks};
}

/** A form in units. */
type Units = Omit<Grid, 'lanes' | 'across' | 'chunks'>;

function unitsOf(form: Form, wide: boolean): Units {
  const {batch, outer} = form;
  const columns = form.run === 1;
  const width = wide && (columns ? form.group : form.run) % 4 === 0 ? 4 : 1;
  const group = columns ? form.group / width : form.group;
  const run = columns ? 1 : form.run / width;
  return {
    ...{width, columns, items: batch * group, length: outer * run},
    flat: outer === 1 && !columns,
    ...{batch, outer, group, run},
  };
}

/** Items that a workgroup is to have side by side. */
function sideOfGroup({columns, items}: Units): number {
  return columns ? Math.min(COLUMNS, powerOfTwo(items)) : 1;
}

/** A grid that puts so many sums together for each of so many items. */
export function foldingGrid(items: number, sums: number, group: number): Grid {
  const lanes =
    sums > SUMS_OF_A_THREAD
      ? Math.min(LANES_OF_A_SUM, powerOfTwo(Math.sqrt(sums) / 2))
      : 1;
  return {
    ...{width: 1, columns: false, flat: true, lanes, items, group},
    ...{across: THREADS / lanes, chunks: 1, length: sums},
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
