import type {Form} from '../../geometry.js';

/*
 * The cut of a view into workgroups. An item holds the values that a statistic, or a gradient
 * of a parameter, is computed from; long ones are cut into chunks. A chunk is a thread's own,
 * or has lanes that share its values; a workgroup works at several chunks at once.
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
  /** If true, neighbouring threads have neighbouring items; if not, they share one. */
  readonly beside: boolean;
  /** Threads that share a chunk. */
  readonly lanes: number;
  /** Chunks in a workgroup. */
  readonly across: number;
}

/** A form in units of `width` floats, spread over workgroups. */
export interface Grid extends Form, Lanes {
  readonly items: number;
  /** Units of an item. */
  readonly length: number;
  /** Chunks of an item. */
  readonly chunks: number;
}

/**
 * Threads of a workgroup: one or two of what a GPU runs in step. More only make programs with
 * barriers slower to compile, and to run where threads that wait are put aside one by one.
 */
const THREADS = 64;

/** Lanes that share a sum: at most, as one of them puts together what all have. */
const LANES_OF_A_SUM = 16;

/** Floats that neighbouring threads read side by side: 64 bytes, as GPUs read whole cache lines. */
const NEIGHBOURS = 16;

/** Units for which a thread uses what it has read of an item: at least, and less than twice. */
const UNITS = 16;

/** Units of a chunk of a sum, about: each chunk takes memory for up to three sums. */
const UNITS_OF_A_SUM = 32;

/** Sums that one thread puts together alone. */
const SUMS_OF_A_THREAD = 64;

/**
 * Spreads a form over workgroups, to write a value for each of its own.
 *
 * @param wide If true, four floats may be read at once as far as alignment is concerned.
 * @param parts How many parts there are of each statistic. A thread reads them all, and
 *   writes at least half as many units.
 */
export function gridOf(form: Form, wide: boolean, parts = 1): Grid {
  const units = unitsOf(form, wide);
  const {length} = units;
  const each = Math.max(UNITS, parts / 2);
  const lanes = Math.min(
    ...[units.beside ? 1 : THREADS, powerOfTwo(length)],
    powerOfTwo(Math.max(neighboursOf(units), length / each / 2)),
  );
  const chunks = Math.max(1, Math.floor(length / lanes / each));
  return {...units, lanes, across: THREADS / lanes, chunks};
}

/**
 * The most chunks of an item of so many units if every thread that reads the item puts them
 * together: few of those as well, then, and each with more to do. See {@link gridOf}.
 */
export function fewChunks(length: number): number {
  return Math.sqrt(length) / 3;
}

/** Chunks that are enough threads for a single item, unless that is very long. */
const MANY_CHUNKS = 256;

/** The most chunks if a launch that is there anyway puts them together. */
export function manyChunks(length: number): number {
  return Math.max(MANY_CHUNKS, fewChunks(length));
}

/**
 * The most chunks if they take a launch that one chunk would not, after which none is left to
 * put together chunks of the parameters' gradients: only a few long items are cut.
 */
export function chunksOfFew(length: number, items: number): number {
  return items < MANY_CHUNKS
    ? Math.min(manyChunks(length), length / (LANES_OF_A_SUM * UNITS_OF_A_SUM))
    : 1;
}

/**
 * Spreads a form over workgroups, to add up its items. The more there is to add, the more
 * threads there are, and the more each of them has to do. Items and chunks make the threads;
 * lanes, which wait for each other, only where those are too few.
 *
 * @param most How many chunks an item may have.
 */
export function summingGrid(
  form: Form,
  wide: boolean,
  most: (length: number, items: number) => number,
): Grid {
  const units = unitsOf(form, wide);
  const {beside, items, length} = units;
  const threads = Math.max(neighboursOf(units), 6 * Math.sqrt(length / items));
  const chunks = Math.ceil(
    Math.min(length / UNITS_OF_A_SUM, most(length, items), threads),
  );
  const lanes = Math.min(
    beside ? THREADS / NEIGHBOURS : LANES_OF_A_SUM,
    powerOfTwo(Math.sqrt(length) / 2),
    powerOfTwo(threads / chunks),
  );
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
  const flat = outer === 1 && !columns;
  return {
    ...{width, columns, flat, items: batch * group, length: outer * run},
    beside: columns || (!flat && run * width < NEIGHBOURS),
    ...{batch, outer, group, run},
  };
}

/** The threads that are to read neighbouring units of an item. */
function neighboursOf({beside, width}: Units): number {
  return beside ? 1 : NEIGHBOURS / width;
}

/** A grid that puts so many sums together for each of so many items. */
export function foldingGrid(items: number, sums: number, group: number): Grid {
  const lanes =
    sums > SUMS_OF_A_THREAD
      ? Math.min(LANES_OF_A_SUM, powerOfTwo(Math.sqrt(sums) / 2))
      : 1;
  return {
    ...{width: 1, columns: false, flat: true, beside: true},
    ...{lanes, across: THREADS / lanes, chunks: 1},
    ...{items, length: sums, batch: items / group, outer: 1, group, run: 1},
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
  const count = Math.ceil((items * chunks) / across);
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows, 1];
}
