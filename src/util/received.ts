/** `Received: name=value`, the end of every message about an option. */
export function received(name: string, value: unknown): string {
  return `Received: ${name}=${show(value)}`;
}

/** Makes an error in the form that all errors have. */
export function refusal(
  who: string,
  what: string,
  name: string,
  value: unknown,
): Error {
  return new Error(`${who}: ${what}. ${received(name, value)}`);
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  // JSON would turn NaN and infinity into null.
  if (typeof value === 'number') return String(value);
  try {
    return JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'bigint' ||
      (typeof inner === 'number' && !Number.isFinite(inner))
        ? String(inner)
        : inner,
    );
  } catch {
    return 'an object with cycles';
  }
}
