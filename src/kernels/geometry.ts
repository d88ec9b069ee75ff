import type {View} from './contract.js';
import type {Tile} from './simd/workspace.js';

/**
 * The order in which the values of a view are visited:
 *
 * - `rows`: statistics per row, `[batch, group, channel]`, parameters along it;
 * - `columns`: `[outer, group · channel]` for each of the batch;
 * - `runs`: the same with `inner` values in each column of a row.
 */
export type Walk = 'rows' | 'columns' | 'runs';

/** A view as the kernels walk through it. */
export interface Geometry extends View {
  readonly walk: Walk;
}

/** @param parameters If true, there is a gamma or a beta. */
export function geometryOf(view: View, parameters: boolean): Geometry {
  const {outer, channel, inner} = view;
  if (inner === 1 && outer === 1 && channel > 1) return {...view, walk: 'rows'};
  if (inner === 1) return {...view, walk: 'columns'};
  if (parameters) return {...view, walk: 'runs'};
  return {...view, channel: 1, inner: channel * inner, walk: 'runs'};
}

/** Neighbouring groups, whose statistics and parameters are computed together. */
export interface Strip {
  readonly firstGroup: number;
  readonly groups: number;
  readonly firstColumn: number;
  readonly width: number;
}

/**
 * As many columns at once as keep what is known per column, which takes up to twenty
 * rows, small beside everything.
 */
const MOST_COLUMNS = 4096;

/**
 * Tells if the WebAssembly kernels can compute this. They know no given statistics of
 * rows, which no layer has.
 *
 * @param capacity How many values of a row may be there at once.
 */
export function canWalk(
  {walk, group, channel, inner}: Geometry,
  given: boolean,
  capacity: number,
): boolean {
  if (walk === 'rows') return !given && group * channel <= capacity;
  return channel * inner <= capacity;
}

/**
 * Cuts groups into strips of about the same size.
 *
 * @param capacity How many values of a row may be there at once.
 */
export function stripsOf(
  {group, channel, inner}: View,
  capacity: number,
): Strip[] {
  const most = Math.min(MOST_COLUMNS, Math.floor(capacity / inner));
  const count = Math.ceil(group / Math.max(1, Math.floor(most / channel)));
  const groups = Math.ceil(group / count);
  const strips: Strip[] = [];
  for (let firstGroup = 0; firstGroup < group; firstGroup += groups) {
    const own = Math.min(groups, group - firstGroup);
    strips.push({
      firstGroup,
      groups: own,
      firstColumn: firstGroup * channel,
      width: own * channel,
    });
  }
  return strips;
}

/** The rows of a strip in one of the batch, in tiles of about so many values. */
export function tilesOf(
  {outer, group, channel, inner}: View,
  batch: number,
  strip: Strip,
  tileValues: number,
): Tile[] {
  const stride = group * channel * inner;
  const length = strip.width * inner;
  const first = batch * outer * stride + strip.firstColumn * inner;
  return chunksOf(outer, tileValues / length).map(({start, count}) => ({
    offset: first + start * stride,
    rows: count,
    length,
    stride,
  }));
}

/** Cuts `total` things into chunks of at most so many, and of one at least. */
export function chunksOf(
  total: number,
  most: number,
): Array<{start: number; count: number}> {
  const size = Math.max(1, Math.floor(Math.min(most, total)));
  const chunks: Array<{start: number; count: number}> = [];
  for (let start = 0; start < total; start += size) {
    chunks.push({start, count: Math.min(size, total - start)});
  }
  return chunks;
}

/**
 * A tensor read as `[batch, outer, group, run]`, of which entries are indexed by
 * `(batch, group)` and computed over `(outer, run)`.
 */
export interface Form {
  readonly batch: number;
  readonly outer: number;
  readonly group: number;
  readonly run: number;
}

/** The form whose entries are the statistics. */
export function statisticsForm(view: View): Form {
  const {batch, outer, group, channel, inner} = view;
  return {batch, outer, group, run: channel * inner};
}

/** The form whose entries are the parameters. */
export function parametersForm(view: View): Form {
  const {batch, outer, group, channel, inner, perOuter} = view;
  if (perOuter) {
    return {batch: 1, outer: batch, group: outer, run: group * channel * inner};
  }
  return {
    batch: 1,
    outer: batch * outer,
    group: group * channel,
    run: inner,
  };
}

/**
 * The form whose entries make up both the statistics and the parameters. There is none
 * with `perOuter`.
 */
export function sharedForm(view: View): Form {
  const {batch, outer, group, channel, inner} = view;
  return {batch, outer, group: group * channel, run: inner};
}
