import {at} from './at.js';

/**
 * Running sums in float64 that keep the rounding error of each addition
 * (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", 1974): accurate to about the last digit, for any values in any
 * order.
 */
export class Sums {
  private readonly totals: Float64Array;
  private readonly lost: Float64Array;

  constructor(count: number) {
    this.totals = new Float64Array(count);
    this.lost = new Float64Array(count);
  }

  /** Adds a value to one of the sums. */
  add(which: number, value: number): void {
    const before = at(this.totals, which);
    const after = before + value;
    const [large, small] =
      Math.abs(before) >= Math.abs(value) ? [before, value] : [value, before];
    this.totals[which] = after;
    this.lost[which] = at(this.lost, which) + (large - after + small);
  }

  /** All of the sums. */
  values(): Float64Array {
    return this.totals.map((total, i) => total + at(this.lost, i));
  }
}

/** The sum of a list. */
export function sumOf(values: Iterable<number>): number {
  const sums = new Sums(1);
  for (const value of values) sums.add(0, value);
  return at(sums.values(), 0);
}
