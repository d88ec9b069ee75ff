import {type Cell, isTiming, type Timing} from './results.js';

const FORMAT = new Intl.NumberFormat('en', {maximumSignificantDigits: 3});
const NONE = '–';

/** Three digits: 0.0452, 12.3, 4,570. */
export function rounded(value: number): string {
  return FORMAT.format(value);
}

/**
 * 4.21 ±3%: the median, and half of the distance between the quartiles; where
 * there was one run, that it was one.
 */
export function spelled(cell: Cell): string {
  if (!isTiming(cell)) return shortReason(cell.unavailable);
  const median = rounded(cell.median);
  return cell.runs === 1 ? `${median} once` : `${median} ±${spreadOf(cell)}%`;
}

/** 55.4, or a dash where there is none. */
export function spelledRatio(ratio: number | null): string {
  return ratio === null ? NONE : rounded(ratio);
}

/** A reason up to its colon. */
export function shortReason(reason: string): string {
  return reason.split(':')[0] ?? reason;
}

function spreadOf({median, q1, q3}: Timing): number {
  return Math.round((50 * (q3 - q1)) / median);
}
