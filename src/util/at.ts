/** A value by its place; NaN where there is none. */
export function at(values: ArrayLike<number>, place: number): number {
  return values[place] ?? NaN;
}

/** The last of a list. Not `Array.prototype.at`, which Hermes 0.12 lacks. */
export function lastOf<T>(list: readonly T[]): T | undefined {
  return list[list.length - 1];
}
