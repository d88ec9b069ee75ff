import {type Cell, isTiming, type Timing} from './results.js';

const FORMAT = new Intl.NumberFormat('en', {maximumSignificantDigits: 3});
const NONE = '–';

/** Rounds to three digits: 0.0452, 12.3, 4,570. */
export function rounded(value: number): string {
  return FORMAT.format(value);
}

/**
 * Formats a timing, such as 4.21 ±3%: the median, and half of the distance
 * between the quartiles; after a single run, says so instead.
 */
export function spelled(cell: Cell): string {
  if (!isTiming(cell)) return shortReason(cell.unavailable);
  const median = rounded(cell.median);
  return cell.runs === 1 ? `${median} once` : `${median} ±${spreadOf(cell)}%`;
}

/** Formats a ratio, such as 55.4; a dash if there is none. */
export function spelledRatio(ratio: number | null): string {
  return ratio === null ? NONE : rounded(ratio);
}

/** Returns a reason up to its colon. */
export function shortReason(reason: string): string {
  return reason.split(':')[0] ?? reason;
}

function spreadOf({median, q1, q3}: Timing): number {
  return Math.round((50 * (q3 - q1)) / median);
}
