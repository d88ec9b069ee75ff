/** How many names a message has room for. */
const MOST = 5;

/**
 * Joins names for a message: all of them where they are few, else the first and
 * how many there are beside them.
 */
export function listed(names: readonly string[], separator = ', '): string {
  if (names.length <= MOST) return names.join(separator);
  const shown = names.slice(0, MOST).join(separator);
  return `${shown} and ${names.length - MOST} more`;
}
