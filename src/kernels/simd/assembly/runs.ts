// Columns whose values lie in runs: [outer, width, inner] with statistics per column,
// or per group of neighbouring columns. Batch normalization with the channels first.
import {addFlow, beginFlow, flow, product, rest} from './flow';
import {addTo, F32, F64} from './lanes';
import {addRuns, mean, resume, squares} from './moments';
import {applyRow} from './rows';
import {gradRow} from './rows_gradient';

/**
 * Takes rows of runs into the moments of their columns.
 *
 * @param stride Bytes from one row to the next.
 * @param before The number of values that a column's moments are of already.
 * @param moments Means and, `size64` bytes on, squares: a float64 per column.
 */
export function runMoments(
  x: usize,
  rows: i32,
  width: i32,
  inner: i32,
  stride: usize,
  subtractMean: bool,
  before: f64,
  moments: usize,
  size64: usize,
): void {
  for (let w = 0; w < width; w++) {
    const at = moments + <usize>w * F64;
    resume(before, load<f64>(at), load<f64>(at + size64));
    addRuns(x + <usize>(w * inner) * F32, rows, inner, stride, subtractMean);
    store<f64>(at, mean);
    store<f64>(at + size64, squares);
  }
}

/** y = (x − high) · a + b, with these per column, `size` bytes from one to the next. */
export function runApply(
  x: usize,
  y: usize,
  rows: i32,
  width: i32,
  inner: i32,
  stride: usize,
  constants: usize,
  size: usize,
): void {
  const length = <usize>inner * F32;
  for (let r = 0; r < rows; r++) {
    for (let w = 0; w < width; w++) {
      const column = constants + <usize>w * F32;
      const at = <usize>w * length;
      const high = load<f32>(column);
      const a = load<f32>(column + size);
      const b = load<f32>(column + 2 * size);
      applyRow(x + at, y + at, length, high, a, b);
    }
    x += stride;
    y += stride;
  }
}

/**
 * Adds Σ dy, Σ dy · (x − high) and Σ (x − high) of each column to its totals, which
 * lie `size64` bytes apart.
 */
export function runGradSums(
  dy: usize,
  x: usize,
  rows: i32,
  width: i32,
  inner: i32,
  stride: usize,
  constants: usize,
  totals: usize,
  size64: usize,
): void {
  for (let w = 0; w < width; w++) {
    const high = load<f32>(constants + <usize>w * F32);
    let at = <usize>(w * inner) * F32;
    beginFlow();
    for (let r = 0; r < rows; r++) {
      addFlow(dy + at, x + at, inner, high);
      at += stride;
    }
    const total = totals + <usize>w * F64;
    addTo<f64>(total, flow);
    addTo<f64>(total + size64, product);
    addTo<f64>(total + 2 * size64, rest);
  }
}

/** dx = A · dy + B · (x − high) + C */
export function runGradApply(
  dy: usize,
  x: usize,
  dx: usize,
  rows: i32,
  width: i32,
  inner: i32,
  stride: usize,
  constants: usize,
  size: usize,
): void {
  const length = <usize>inner * F32;
  for (let r = 0; r < rows; r++) {
    for (let w = 0; w < width; w++) {
      const column = constants + <usize>w * F32;
      const at = <usize>w * length;
      const high = load<f32>(column);
      const a = load<f32>(column + size);
      const b = load<f32>(column + 2 * size);
      const c = load<f32>(column + 3 * size);
      gradRow(dy + at, x + at, dx + at, length, high, a, b, c);
    }
    dy += stride;
    x += stride;
    dx += stride;
  }
}
