import {quantile} from './statistics.js';

/** Kernels and a network that use only tf.js. */
export const NEIGHBOURS = ['conv2d', 'matMul', 'ResNet'] as const;
export type Neighbour = (typeof NEIGHBOURS)[number];

/** A request to a process: its shortest run within a budget in milliseconds. */
export interface NeighbourRequest {
  readonly neighbour: Neighbour;
  readonly budget: number;
}

/** A turn of two processes, one after the other, in milliseconds. */
export interface Turn {
  readonly without: number;
  readonly used: number;
}

/** The comparison of processes with this package and without. */
export interface NeighbourRow {
  readonly backend: string;
  readonly neighbour: Neighbour;
  readonly without: number;
  readonly used: number;
  /** Time with this package over time without: the median over pairs of processes. */
  readonly ratio: number;
  /** The smallest and the largest ratio of a pair. */
  readonly range: readonly [number, number];
}

/**
 * Compares pairs of processes.
 *
 * @param pairs The turns of each pair. Its ratio is the median over its turns, so that
 *   a load which passes counts little.
 */
export function rowOf(
  backend: string,
  neighbour: Neighbour,
  pairs: ReadonlyArray<readonly Turn[]>,
): NeighbourRow {
  const ratios = pairs.map((turns) =>
    median(turns.map(({without, used}) => used / without)),
  );
  const turns = pairs.flat();
  return {
    backend,
    neighbour,
    without: median(turns.map(({without}) => without)),
    used: median(turns.map(({used}) => used)),
    ratio: median(ratios),
    range: [Math.min(...ratios), Math.max(...ratios)],
  };
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
