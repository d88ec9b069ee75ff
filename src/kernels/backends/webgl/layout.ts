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
  /** Texels in all. */
  readonly texels: number;
}

export function packedOf(shape: readonly number[]): Packed {
  const rows = shape[shape.length - 2] ?? 1;
  const columns = shape[shape.length - 1] ?? 1;
  const size = shape.reduce((product, length) => product * length, 1);
  const slices = size / (rows * columns);
  const [high, wide] = [half(rows), half(columns)];
  return {slices, rows, columns, high, wide, texels: slices * high * wide};
}

/** A width that every WebGL 2 has textures of. */
const LINE = 2048;

/**
 * The rows and the columns, in texels, of the texture that is written for a tensor. It is
 * about square, since a GPU computes texels in squares of four, of which half would be for
 * nothing along a line; but texels of short vectors are found sooner in a line.
 */
export function textureOf({
  slices,
  rows,
  wide,
  texels,
}: Packed): [number, number] {
  const isLine = slices * rows === 1 && wide <= LINE;
  const width = isLine ? wide : Math.ceil(Math.sqrt(texels));
  return [Math.ceil(texels / width), width];
}

/** The shape of a tensor of so many texels. */
export function shapeOf(texels: number): number[] {
  return [2, 2 * texels];
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
  /** The form in steps: of slots, which are loops that have an entry, or a pair of them. */
  readonly steps: Form;
  /** The number of slots. */
  readonly slots: number;
  /** The number of steps of a slot. */
  readonly count: number;
  /** The rows and columns that a loop goes through, where some texels are not full. */
  readonly rows: number;
  readonly columns: number;
  /** GLSL: the first step of slot q. */
  readonly base: string;
  /** GLSL: the slot of texel t, in row `row` and column `col` of all texels. */
  readonly at: string;
  /** GLSL: the first entry of slot q. */
  readonly entry: string;
  /** GLSL: the slot of entry s, and its place in the pair. */
  readonly slot: string;
  readonly place: string;
  /** If true, the first entry of a slot has an even number. */
  readonly isEven: boolean;
  /** The loop is cut into so many chunks, of so many steps each. */
  readonly chunks: number;
  readonly length: number;
}

/** The parts that the ways to walk differ in. */
type Order = Pick<Walk, 'lanes' | 'steps' | 'rows' | 'columns'>;

/** The number of loops that keep a GPU busy. */
const BUSY = {few: 1024, many: 8192};

/** The longest loop that is not cut. */
const LONG = 1024;

/** GLSL: the entry that the value, or the step, at f belongs to. */
export function entryAt({batch, outer, group, run}: Form, f: string): string {
  const each = run === 1 ? `(${f})` : `(${f})/${run}`;
  if (outer === 1) return each;
  const within = `${each}%${group}`;
  return batch === 1
    ? within
    : `((${f})/${outer * group * run}*${group}+${within})`;
}

/** GLSL: the first value, or step, of an entry q. */
function firstOf({batch, outer, group, run}: Form): string {
  const first =
    batch === 1 || outer === 1
      ? 'q'
      : `(q/${group}*${outer * group}+q%${group})`;
  return `${first}*${run}`;
}

/**
 * The walk through a form.
 *
 * @param most The largest number of chunks.
 */
export function walkOf(form: Form, packed: Packed, most: number): Walk {
  const order = orderOf(form, packed);
  const {lanes, steps} = order;
  const slots = steps.batch * steps.group;
  const count = steps.outer * steps.run;
  const busy = most === Infinity ? BUSY.many : BUSY.few;
  const wanted = Math.min(
    most,
    Math.ceil(Math.sqrt(count)),
    Math.ceil(Math.max(busy / slots, count / LONG)),
  );
  const length = Math.ceil(count / wanted);
  return {
    ...order,
    ...(lanes === 'columns'
      ? pairs(form.group, form.batch)
      : lanes === 'rows'
        ? pairs(packed.rows, slots / packed.high)
        : SINGLE),
    form,
    packed,
    slots,
    count,
    base: firstOf(steps),
    at: slotAt(steps, packed),
    length,
    chunks: Math.ceil(count / length),
  };
}

function slotAt(steps: Form, {wide}: Packed): string {
  const {batch, outer, group, run} = steps;
  if (outer === 1 && run === wide) return 'row';
  const isColumn = batch === 1 && run === 1 && group === wide;
  return isColumn ? 'col' : entryAt(steps, 't');
}

/** The largest steps that the entries of a form can be visited in. */
function orderOf(form: Form, packed: Packed): Order {
  const {batch, outer, group, run} = form;
  const {slices, rows, columns, high, wide} = packed;
  const order = (
    lanes: Lanes,
    steps: Partial<Form>,
    loopRows: number,
    loopColumns: number,
  ): Order => ({
    lanes,
    steps: {...form, ...steps},
    rows: loopRows,
    columns: loopColumns,
  });
  // Entries lie beside each other in a row of the texture, alone or in runs of texels.
  if (group * run === columns && outer % rows === 0) {
    const down = {outer: (outer / rows) * high};
    if (run === 1) return order('columns', {...down, group: wide}, rows, 2);
    if (run % 2 === 0) return order('one', {...down, run: run / 2}, rows, run);
  }
  // Each row of the texture belongs to an entry.
  if (run === columns && (outer === 1 || group === rows)) {
    const blocks = outer === 1 ? slices : batch;
    const steps = {batch: blocks, group: high, run: wide};
    return order('rows', steps, 2, columns);
  }
  // Whole texels, one after the other, belong to an entry.
  const own = run / columns;
  if (own % rows === 0) {
    return order('one', {run: (own / rows) * high * wide}, rows, columns);
  }
  if (own % 2 === 0 && rows % own === 0) {
    return order('one', {run: (own / 2) * wide}, own, columns);
  }
  if (rows === 1 && run % 2 === 0 && columns % run === 0) {
    return order('one', {run: run / 2}, 1, run);
  }
  // Values of any entry lie in a texel.
  return order('any', {}, 1, 1);
}

const SINGLE = {entry: 'q', slot: 's', place: '0', isEven: false};

/**
 * Entries in pairs, of which there may be a last one alone in every `length`.
 *
 * @param times How many times there are `length` entries.
 */
function pairs(
  length: number,
  times: number,
): Pick<Walk, 'entry' | 'slot' | 'place' | 'isEven'> {
  if (times === 1 || length % 2 === 0) {
    return {entry: '2*q', slot: '(s>>1)', place: '(s&1)', isEven: true};
  }
  const wide = half(length);
  return {
    entry: `(q/${wide})*${length}+2*(q%${wide})`,
    slot: `(s/${length})*${wide}+(s%${length}>>1)`,
    place: `(s%${length}&1)`,
    isEven: false,
  };
}

/** The number of pairs of rows, or of columns. */
export function half(length: number): number {
  return Math.ceil(length / 2);
}
