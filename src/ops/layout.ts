import type {View} from '../kernels/contract.js';

/** The way of a tensor of a certain shape into a view, and back. */
export interface Layout {
  readonly view: View;
  /**
   * The order of axes in which the tensor fits the view; undefined where it fits
   * as it is, without being copied.
   */
  readonly permutation?: readonly number[] | undefined;
}

interface Axis {
  readonly index: number;
  readonly length: number;
  readonly chosen: boolean;
}

/**
 * The layout for statistics that are kept for each feature, and computed over
 * all the other axes: batch normalization.
 *
 * @param shape The tensor's shape.
 * @param axes The feature axes: not negative, ascending.
 */
export function featuresLayout(
  shape: readonly number[],
  axes: readonly number[],
): Layout {
  const all = axesOf(shape, axes);
  const long = all.filter(({length}) => length !== 1);
  const [first, last] = chosenRun(long);
  const inOneRun = long.slice(first, last).every(({chosen}) => chosen);
  const view = inOneRun
    ? {outer: sizeOf(long.slice(0, first)), inner: sizeOf(long.slice(last))}
    : {outer: sizeOf(long.filter(({chosen}) => !chosen)), inner: 1};
  return {
    view: {
      batch: 1,
      group: sizeOf(long.filter(({chosen}) => chosen)),
      channel: 1,
      ...view,
    },
    permutation: inOneRun ? undefined : chosenLast(all),
  };
}

/**
 * The layout for statistics that are computed over the given axes, and kept for
 * each position on all the others: layer normalization.
 *
 * @param shape The tensor's shape.
 * @param axes The axes that are normalized: not negative, ascending.
 * @param perOuter If true, the view may index parameters by `outer`. If not, it says none
 *   over axes before the last.
 */
export function examplesLayout(
  shape: readonly number[],
  axes: readonly number[],
  perOuter: boolean,
): Layout {
  const all = axesOf(shape, axes);
  const long = all.filter(({length}) => length !== 1);
  const [first, last] = chosenRun(long);
  const inOneRun = long.slice(first, last).every(({chosen}) => chosen);
  const size = sizeOf(long.filter(({chosen}) => chosen));
  if (inOneRun && last < long.length) {
    return {
      view: {
        batch: sizeOf(long.slice(0, first)),
        outer: size,
        group: sizeOf(long.slice(last)),
        channel: 1,
        inner: 1,
        perOuter,
      },
    };
  }
  return {
    view: {
      batch: sizeOf(long.filter(({chosen}) => !chosen)),
      outer: 1,
      group: 1,
      channel: size,
      inner: 1,
    },
    permutation: inOneRun ? undefined : chosenLast(all),
  };
}

/**
 * The layout for statistics of each example and each group of channels: group
 * normalization, and with a group for each channel instance normalization.
 *
 * @param axis The channels': not negative, and not the batch's.
 * @param groups A divisor of the number of channels.
 */
export function groupsLayout(
  shape: readonly number[],
  axis: number,
  groups: number,
): Layout {
  const all = axesOf(shape, [axis]);
  return {
    view: {
      batch: sizeOf(all.slice(0, 1)),
      outer: sizeOf(all.slice(1, axis)),
      group: groups,
      channel: (shape[axis] ?? 0) / groups,
      inner: sizeOf(all.slice(axis + 1)),
    },
  };
}

/** The order of axes that undoes a permutation. */
export function inversePermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((from, to) => (inverse[from] = to));
  return inverse;
}

function axesOf(shape: readonly number[], axes: readonly number[]): Axis[] {
  return shape.map((length, index) => ({
    index,
    length,
    chosen: axes.includes(index),
  }));
}

/** From the first chosen axis to behind the last one; at the end if there is none. */
function chosenRun(axes: readonly Axis[]): [number, number] {
  const positions = axes.flatMap(({chosen}, i) => (chosen ? [i] : []));
  const first = positions[0] ?? axes.length;
  const last = positions[positions.length - 1];
  return [first, last === undefined ? axes.length : last + 1];
}

function chosenLast(axes: readonly Axis[]): number[] {
  return [
    ...axes.filter(({chosen}) => !chosen),
    ...axes.filter(({chosen}) => chosen),
  ].map(({index}) => index);
}

function sizeOf(axes: readonly Axis[]): number {
  return axes.reduce((product, {length}) => product * length, 1);
}
