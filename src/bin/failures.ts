/** What the user asked for in a way that cannot be done: exit code 2. */
export class UsageError extends Error {}

/** A message in one line, whatever a path in it holds. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ').trim();
}
