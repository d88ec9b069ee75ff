import type {Form} from '../../geometry.js';

/*
 * The order of values in a packed texture of tf.js, and ways to visit them. A texel holds two
 * rows by two columns of the last two axes; texels follow one another row by row, slice by
 * slice, whatever the texture's width. Everything here is arithmetic on lengths; where it
 * has to be done on the GPU, it is given as GLSL.
 */

/** A shape as tf.js packs it. */
export interface Packed {
  /** The axes before the last two, in one. */
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Texels in a column of a slice. */
  readonly high: number;
  /** Texels in a row. */
  readonly wide: number;
}

export function packedOf(shape: readonly number[]): Packed {
  const rows = shape[shape.length - 2] ?? 1;
  const columns = shape[shape.length - 1] ?? 1;
  const size = shape.reduce((product, length) => product * length, 1);
  return {
    slices: size / (rows * columns),
    rows,
    columns,
    high: half(rows),
    wide: half(columns),
  };
}

/**
 * The entries that the four values of a texel belong to: one to each column, one to each
 * row, all to one, or any.
 */
export type Lanes = 'columns' | 'rows' | 'one' | 'any';

/** The order in which the values of each entry are visited, in steps of a texel. */
export interface Walk {
  readonly form: Form;
  readonly packed: Packed;
  /** If any, a step is of one value instead of a texel. */
  readonly lanes: Lanes;
  /** The number of loops beside each other: each has an entry, or a pair of them. */
  readonly slots: number;
  /** The steps of a loop: `outer` times `run`. */
  readonly steps: number;
  /** Steps to the next texel, until these are done. */
  readonly run: number;
  /** From one such run to the next, in texels. */
  readonly stride: number;
  /** The rows and columns that a loop goes through, where some texels are not full. */
  readonly rows: number;
  readonly columns: number;
  /** GLSL: the first texel of slot q. */
  readonly base: string;
  /** GLSL: the first entry of slot q. */
  readonly entry: string;
  /** GLSL: the slot of entry s, and its place in the pair. */
  readonly slot: string;
  readonly place: string;
  /** The loop is cut into so many chunks, of so many steps each. */
  readonly chunks: number;
  readonly length: number;
}

type Order = Omit<Walk, 'form' | 'packed' | 'chunks' | 'length'>;

/** The number of loops that keep a GPU busy. */
const BUSY = {few: 1024, many: 8192};

/** The longest loop that is not cut. */
const LONG = 1024;

/**
 * The walk through a form.
 *
 * @param most The largest number of chunks.
 */
export function walkOf(form: Form, packed: Packed, most: number): Walk {
  const order =
    alongColumns(form, packed) ??
    alongRows(form, packed) ??
    alongTexels(form, packed) ??
    alongValues(form);
  const {slots, steps} = order;
  const busy = most === Infinity ? BUSY.many : BUSY.few;
  const wanted = Math.min(
    most,
    Math.ceil(Math.sqrt(steps)),
    Math.ceil(Math.max(busy / slots, steps / LONG)),
  );
  const length = Math.ceil(steps / wanted);
  return {...order, form, packed, length, chunks: Math.ceil(steps / length)};
}

/** The lanes by which values of a form are read where they lie. */
export function lanesOf(form: Form, packed: Packed): Lanes {
  const {lanes} = walkOf(form, packed, 1);
  const isRow = lanes === 'any' && form.run % packed.columns === 0;
  return isRow ? 'rows' : lanes;
}

/** Entries lie beside each other in a row of the texture, alone or in runs of texels. */
function alongColumns(
  {batch, outer, group, run}: Form,
  {rows, columns, high, wide}: Packed,
): Order | undefined {
  if (group * run !== columns || outer % rows !== 0) return undefined;
  const texelRows = (outer / rows) * high;
  if (run === 1) {
    return {
      lanes: 'columns',
      slots: batch * wide,
      steps: texelRows,
      run: 1,
      stride: wide,
      rows,
      columns: 2,
      base: `(q/${wide})*${texelRows * wide}+q%${wide}`,
      ...pairs(group),
    };
  }
  if (run % 2 !== 0) return undefined;
  return {
    lanes: 'one',
    slots: batch * group,
    steps: (texelRows * run) / 2,
    run: run / 2,
    stride: wide,
    rows,
    columns: run,
    base: `(q/${group})*${texelRows * wide}+q%${group}*${run / 2}`,
    ...SINGLE,
  };
}

/** Each row of the texture belongs to an entry. */
function alongRows(
  {batch, outer, group, run}: Form,
  {rows, columns, high, wide, slices}: Packed,
): Order | undefined {
  if (run !== columns || (outer !== 1 && group !== rows)) return undefined;
  const slots = outer === 1 ? slices * high : batch * high;
  return {
    lanes: 'rows',
    slots,
    steps: outer * wide,
    run: wide,
    stride: high * wide,
    rows: 2,
    columns,
    base: `((q/${high})*${outer * high}+q%${high})*${wide}`,
    ...pairs(rows),
  };
}

/** Whole texels, one after the other, belong to an entry. */
function alongTexels(
  {batch, outer, group, run}: Form,
  {rows, columns, high, wide}: Packed,
): Order | undefined {
  const own = run / columns;
  let texels: number;
  let ownRows = rows;
  if (run % (rows * columns) === 0) texels = (own / rows) * high * wide;
  else if (own % 2 === 0 && rows % own === 0) {
    texels = (own / 2) * wide;
    ownRows = own;
  } else if (rows === 1 && run % 2 === 0 && columns % run === 0) {
    texels = run / 2;
  } else return undefined;
  return {
    lanes: 'one',
    slots: batch * group,
    steps: outer * texels,
    run: texels,
    stride: group * texels,
    rows: ownRows,
    columns: Math.min(columns, run),
    base: `((q/${group})*${outer * group}+q%${group})*${texels}`,
    ...SINGLE,
  };
}

/** Value by value, wherever it lies. */
function alongValues({batch, outer, group, run}: Form): Order {
  return {
    lanes: 'any',
    slots: batch * group,
    steps: outer * run,
    run,
    stride: group * run,
    rows: 1,
    columns: 1,
    base: `((q/${group})*${outer * group}+q%${group})*${run}`,
    ...SINGLE,
  };
}

const SINGLE = {entry: 'q', slot: 's', place: '0'};

/** Entries in pairs, of which there may be a last one alone in every `length`. */
function pairs(length: number): Pick<Walk, 'entry' | 'slot' | 'place'> {
  const wide = half(length);
  return {
    entry: `(q/${wide})*${length}+2*(q%${wide})`,
    slot: `(s/${length})*${wide}+(s%${length})/2`,
    place: `(s%${length})%2`,
  };
}

function half(length: number): number {
  return Math.ceil(length / 2);
}
