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
  const {before, chosen, after, areApart} = splitAt(shape, axes);
  return {
    view: {
      batch: 1,
      outer: areApart ? before * after : before,
      group: chosen,
      channel: 1,
      inner: areApart ? 1 : after,
    },
    permutation: areApart ? chosenLast(shape, axes) : undefined,
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
  const {before, chosen, after, areApart, areLast} = splitAt(shape, axes);
  if (!areApart && !areLast) {
    return {
      view: {
        batch: before,
        outer: chosen,
        group: after,
        channel: 1,
        inner: 1,
        perOuter,
      },
    };
  }
  return {
    view: {
      batch: before * after,
      outer: 1,
      group: 1,
      channel: chosen,
      inner: 1,
    },
    permutation: areApart ? chosenLast(shape, axes) : undefined,
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
  const [batch = 1, ...others] = shape;
  return {
    view: {
      batch,
      outer: sizeOf(others.slice(0, axis - 1)),
      group: groups,
      channel: (shape[axis] ?? 0) / groups,
      inner: sizeOf(others.slice(axis)),
    },
  };
}

/** The order of axes that undoes a permutation. */
export function inversePermutation(permutation: readonly number[]): number[] {
  const inverse = new Array<number>(permutation.length);
  permutation.forEach((from, to) => (inverse[from] = to));
  return inverse;
}

/** The lengths around the chosen axes, multiplied; an axis of length 1 is nowhere. */
interface Split {
  readonly before: number;
  readonly chosen: number;
  /** Behind the first chosen one, which may be between them. */
  readonly after: number;
  /** If true, there are others between the chosen axes. */
  readonly areApart: boolean;
  /** If true, there are none behind the last chosen one, nor between them. */
  readonly areLast: boolean;
}

function splitAt(shape: readonly number[], axes: readonly number[]): Split {
  let [before, chosen, after] = [1, 1, 1];
  let [isBehind, areApart, areLast] = [false, false, true];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    if (axes.includes(axis)) {
      chosen *= length;
      isBehind = true;
      areApart ||= !areLast;
    } else if (isBehind) {
      after *= length;
      areLast = false;
    } else {
      before *= length;
    }
  });
  return {before, chosen, after, areApart, areLast};
}

/** The order of axes in which the chosen ones are the last. */
export function chosenLast(
  shape: readonly number[],
  axes: readonly number[],
): number[] {
  const others = shape.map((_, axis) => axis);
  return [...others.filter((axis) => !axes.includes(axis)), ...axes];
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
