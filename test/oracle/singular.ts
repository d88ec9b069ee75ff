/** The largest singular value of a matrix, and its vectors, by power iteration. */
export function singular(
  w: readonly number[],
  columns: number,
  start: readonly number[],
  iterations: number,
): {sigma: number; u: number[]; v: number[]} {
  const rows = w.length / columns;
  const at = (i: number, j: number): number => w[i * columns + j] ?? NaN;
  const unit = (a: number[]): number[] => {
    const length = Math.hypot(...a);
    return a.map((value) => value / length);
  };
  const range = (n: number): number[] => Array.from({length: n}, (_, i) => i);
  let u = [...start];
  let v: number[] = [];
  for (let k = 0; k < iterations; k++) {
    v = unit(
      range(rows).map((i) =>
        range(columns).reduce((sum, j) => sum + at(i, j) * (u[j] ?? NaN), 0),
      ),
    );
    u = unit(
      range(columns).map((j) =>
        range(rows).reduce((sum, i) => sum + at(i, j) * (v[i] ?? NaN), 0),
      ),
    );
  }
  return {sigma: sigmaOf(w, columns, u, v), u, v};
}

/** `v W uᵀ` of a matrix with so many columns. */
export function sigmaOf(
  w: readonly number[],
  columns: number,
  u: readonly number[],
  v: readonly number[],
): number {
  return w.reduce(
    (sum, value, k) =>
      sum +
      value * (v[Math.floor(k / columns)] ?? NaN) * (u[k % columns] ?? NaN),
    0,
  );
}
