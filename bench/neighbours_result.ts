import {quantile} from './statistics.js';

/** Kernels and a network that use only tf.js. */
export const NEIGHBOURS = ['conv2d', 'matMul', 'ResNet'] as const;
export type Neighbour = (typeof NEIGHBOURS)[number];

/** Milliseconds measured by one process. */
export type Times = Readonly<Record<Neighbour, number>>;

/** Medians over processes with this package and without. */
export interface NeighbourRow {
  readonly backend: string;
  readonly neighbour: Neighbour;
  readonly without: number;
  readonly used: number;
  /** Time with this package over time without. */
  readonly ratio: number;
  /** Interquartile range of the processes without, over their median. */
  readonly spread: number;
}

/** Returns the medians over the processes. */
export function rowsOf(
  backend: string,
  without: readonly Times[],
  used: readonly Times[],
): NeighbourRow[] {
  return NEIGHBOURS.map((neighbour) => {
    const times = without.map((each) => each[neighbour]);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
      quantile(times, share),
    ) as [number, number, number];
    const after = quantile(
      used.map((each) => each[neighbour]),
      0.5,
    );
    return {
      backend,
      neighbour,
      without: middle,
      used: after,
      ratio: after / middle,
      spread: (high - low) / middle,
    };
  });
}
