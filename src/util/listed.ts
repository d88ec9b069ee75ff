/** The most names in a message. */
const MOST = 5;

/**
 * Joins names for a message: all if they are few, else the first few and the
 * number of the rest.
 */
export function listed(names: readonly string[], separator = ', '): string {
  if (names.length <= MOST) return names.join(separator);
  const shown = names.slice(0, MOST).join(separator);
  return `${shown} and ${names.length - MOST} more`;
}
