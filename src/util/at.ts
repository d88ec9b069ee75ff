/** Returns the value at an index; NaN if there is none. */
export function at(values: ArrayLike<number>, place: number): number {
  return values[place] ?? NaN;
}

/** Returns a list as it is, and anything else as a list of its own. */
export function listOf<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** Returns the last element. Hermes 0.12 lacks `Array.prototype.at`. */
export function lastOf<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1];
}
