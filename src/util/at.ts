/** Returns the value at an index; NaN if there is none. */
export function at(values: ArrayLike<number>, place: number): number {
  return values[place] ?? NaN;
}

/** Returns the last element. Hermes 0.12 lacks `Array.prototype.at`. */
export function lastOf<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1];
}
