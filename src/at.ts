/** A value by its place; NaN where there is none. */
export function at(values: ArrayLike<number>, place: number): number {
  return values[place] ?? NaN;
}
