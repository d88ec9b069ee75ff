import {reasonOf} from '../util/reason_of.js';

/** A request that cannot be carried out: exit code 2. */
export class UsageError extends Error {}

/** Returns a message in one line, even if a path in it has line breaks. */
export function messageOf(error: unknown): string {
  return reasonOf(error)
    .replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')
    .trim();
}
