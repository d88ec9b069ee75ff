import {quantile} from './statistics.js';

/** Kernels and a network of tf.js's own. */
export const NEIGHBOURS = ['conv2d', 'matMul', 'ResNet'] as const;
export type Neighbour = (typeof NEIGHBOURS)[number];

/** Milliseconds that one process has measured. */
export type Times = Readonly<Record<Neighbour, number>>;

/** Medians over processes with this package and without. */
export interface NeighbourRow {
  readonly backend: string;
  readonly neighbour: Neighbour;
  readonly without: number;
  readonly used: number;
  /** With this package over without. */
  readonly ratio: number;
  /** Between the quartiles of the processes without, over their median. */
  readonly spread: number;
}

/** The medians of what processes have measured. */
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
