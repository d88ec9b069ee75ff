// Columns: a row-major matrix [rows, width] whose statistics are per column, or per
// group of neighbouring columns. Batch normalization with the channels last.
//
// A row is read as vectors of four columns. Where the width is no multiple of four,
// the last vector overlaps the one before: its columns are computed twice, with the
// same result. Sums therefore have a place for every vector, while what is known
// per column lies column by column. A width below four is made four times as large,
// by reading four rows as one; up to three rows at the end go one by one.
import {addTo, addVector, drain, F32, F64, loadPair, sumOf8, V128} from './lanes';

/** Values that a block of rows has about: what fits the first cache. */
const BLOCK_VALUES: i32 = 8192;
/** Rows of a block: few enough for float32 sums of them to stay exact to 4e-6. */
const MOST_ROWS: i32 = 512;
const FEWEST_ROWS: i32 = 64;

/** The number of rows that are read as one. */
// @ts-ignore: decorator
@inline
export function foldOf(width: i32): i32 {
  return width < 4 ? 4 : 1;
}

/** The number of vectors that a row of this width is read as. */
// @ts-ignore: decorator
@inline
export function vectorsOf(width: i32): i32 {
  return (width + 3) >> 2;
}

/** Bytes of a place for every vector of a row. */
// @ts-ignore: decorator
@inline
export function vectorBytes(width: i32): usize {
  return <usize>vectorsOf(width) * V128;
}

/** Bytes of a float64 for each column; pairs of them are read and written at once. */
// @ts-ignore: decorator
@inline
export function sumBytes(width: i32): usize {
  return <usize>((width + 1) & ~1) * F64;
}

/** The number of rows of a block, where `fold` rows are read as one. */
export function blockRows(width: i32): i32 {
  const rows = max(FEWEST_ROWS, min(MOST_ROWS, BLOCK_VALUES / width));
  return rows & ~7;
}

/** The address of the last vector in a row, relative to the row. */
// @ts-ignore: decorator
@inline
export function lastVector(width: i32): usize {
  return <usize>(width - 4) * F32;
}

/** Values that are summed per vector as they are summed per column. */
export function spreadSums(sums: usize, columns: usize, width: i32): void {
  const last = vectorsOf(width) - 1;
  for (let j = 0; j < last; j++) {
    const at = <usize>j * V128;
    v128.store(columns + at, v128.load(sums + at));
  }
  v128.store(
    columns + lastVector(width),
    v128.load(sums + <usize>last * V128),
  );
}

/** Adds four rows that were read as one, and repeats the sums in their place. */
export function foldColumns(columns: usize, width: i32): void {
  for (let w = 0; w < width; w++) {
    const at = columns + <usize>w * F32;
    const step = <usize>width * F32;
    const sum =
      load<f32>(at) +
      load<f32>(at + step) +
      (load<f32>(at + 2 * step) + load<f32>(at + 3 * step));
    store<f32>(at, sum);
  }
}

/** Repeats what is known per column, for four rows read as one. */
export function repeatColumns(columns: usize, width: i32): void {
  const length = <usize>width * F32;
  for (let copy: usize = 1; copy < 4; copy++) {
    memory.copy(columns + copy * length, columns, length);
  }
}

/** `sums += Σ (x − origin)` over rows of vectors. */
function sumRows(
  x: usize,
  rows: i32,
  width: i32,
  stride: usize,
  origin: usize,
  sums: usize,
): void {
  let r = 0;
  for (; r + 8 <= rows; r += 8) {
    sumStep(true, x, width, stride, origin, sums);
    x += 8 * stride;
  }
  for (; r < rows; r++) {
    sumStep(false, x, width, stride, origin, sums);
    x += stride;
  }
}

/** Eight rows at once, or one. */
// @ts-ignore: decorator
@inline
function sumStep(
  eight: bool,
  x: usize,
  width: i32,
  stride: usize,
  origin: usize,
  sums: usize,
): void {
  const last = lastVector(width);
  const end = vectorBytes(width);
  for (let sum: usize = 0; sum < end; sum += V128) {
    const at = min(sum, last);
    const o = v128.load(origin + at);
    const x0 = x + at;
    let total = f32x4.sub(v128.load(x0), o);
    if (eight) {
      const x4 = x0 + 4 * stride;
      total = sumOf8(
        total,
        f32x4.sub(v128.load(x0 + stride), o),
        f32x4.sub(v128.load(x0 + 2 * stride), o),
        f32x4.sub(v128.load(x0 + 3 * stride), o),
        f32x4.sub(v128.load(x4), o),
        f32x4.sub(v128.load(x4 + stride), o),
        f32x4.sub(v128.load(x4 + 2 * stride), o),
        f32x4.sub(v128.load(x4 + 3 * stride), o),
      );
    }
    addVector(sums + sum, total);
  }
}

/** `rests += Σ d` and `squares += Σ d²` with `d = (x − origin) − center`. */
function squareRows(
  x: usize,
  rows: i32,
  width: i32,
  stride: usize,
  origin: usize,
  center: usize,
  rests: usize,
  squares: usize,
): void {
  let r = 0;
  for (; r + 8 <= rows; r += 8) {
    squareStep(true, x, width, stride, origin, center, rests, squares);
    x += 8 * stride;
  }
  for (; r < rows; r++) {
    squareStep(false, x, width, stride, origin, center, rests, squares);
    x += stride;
  }
}

/** Eight rows at once, or one. */
// @ts-ignore: decorator
@inline
function squareStep(
  eight: bool,
  x: usize,
  width: i32,
  stride: usize,
  origin: usize,
  center: usize,
  rests: usize,
  squares: usize,
): void {
  const last = lastVector(width);
  const end = vectorBytes(width);
  for (let sum: usize = 0; sum < end; sum += V128) {
    const at = min(sum, last);
    const o = v128.load(origin + at);
    const c = v128.load(center + at);
    const x0 = x + at;
    const d0 = f32x4.sub(f32x4.sub(v128.load(x0), o), c);
    if (eight) {
      const x4 = x0 + 4 * stride;
      const d1 = f32x4.sub(f32x4.sub(v128.load(x0 + stride), o), c);
      const d2 = f32x4.sub(f32x4.sub(v128.load(x0 + 2 * stride), o), c);
      const d3 = f32x4.sub(f32x4.sub(v128.load(x0 + 3 * stride), o), c);
      const d4 = f32x4.sub(f32x4.sub(v128.load(x4), o), c);
      const d5 = f32x4.sub(f32x4.sub(v128.load(x4 + stride), o), c);
      const d6 = f32x4.sub(f32x4.sub(v128.load(x4 + 2 * stride), o), c);
      const d7 = f32x4.sub(f32x4.sub(v128.load(x4 + 3 * stride), o), c);
      addVector(rests + sum, sumOf8(d0, d1, d2, d3, d4, d5, d6, d7));
      addVector(
        squares + sum,
        sumOf8(
          f32x4.mul(d0, d0),
          f32x4.mul(d1, d1),
          f32x4.mul(d2, d2),
          f32x4.mul(d3, d3),
          f32x4.mul(d4, d4),
          f32x4.mul(d5, d5),
          f32x4.mul(d6, d6),
          f32x4.mul(d7, d7),
        ),
      );
    } else {
      addVector(rests + sum, d0);
      addVector(squares + sum, f32x4.mul(d0, d0));
    }
  }
}

/**
 * Takes a block's moments into those before it (Chan, Golub and LeVeque, 1979), per
 * column: `mean` and `squares`, of squared deviations from it, in float64.
 */
function mergeBlock(
  width: i32,
  subtractMean: bool,
  before: f64,
  rows: f64,
  origin: usize,
  center: usize,
  rests: usize,
  blockSquares: usize,
  mean: usize,
  squares: usize,
): void {
  if (!subtractMean) {
    drain(blockSquares, squares, width);
    return;
  }
  const share = f64x2.splat(rows / (before + rows));
  const weight = f64x2.splat((before * rows) / (before + rows));
  const inverse = f64x2.splat(1 / rows);
  for (let w = 0; w < width; w += 2) {
    const at = <usize>w * F32;
    const at64 = <usize>w * F64;
    const rest = loadPair(rests + at);
    const own = f64x2.mul(rest, inverse);
    const blockMean = f64x2.add(
      f64x2.add(loadPair(origin + at), loadPair(center + at)),
      own,
    );
    const spread = f64x2.sub(loadPair(blockSquares + at), f64x2.mul(rest, own));
    const old = v128.load(mean + at64);
    const delta = f64x2.sub(blockMean, old);
    const between = f64x2.mul(f64x2.mul(delta, delta), weight);
    const total = f64x2.add(v128.load(squares + at64), spread);
    v128.store(mean + at64, f64x2.add(old, f64x2.mul(delta, share)));
    v128.store(squares + at64, f64x2.add(total, between));
  }
}

/**
 * Takes rows into the moments of their columns.
 *
 * @param stride Bytes from one row to the next; that of the width where it is below 4.
 * @param before The number of rows that the moments are of already.
 * @param moments Means and, `size64` bytes on, squares: a float64 per column, zeros at
 *   first.
 * @param scratch Six times `4 · vectorsOf(fold · width)` float32.
 */
export function columnMoments(
  x: usize,
  rows: i32,
  width: i32,
  stride: usize,
  subtractMean: bool,
  before: f64,
  moments: usize,
  size64: usize,
  scratch: usize,
): void {
  const fold = foldOf(width);
  const wide = width * fold;
  const size = vectorBytes(wide);
  const origin = scratch;
  const center = scratch + size;
  const sums = scratch + 2 * size;
  const squareSums = scratch + 3 * size;
  const rests = scratch + 4 * size;
  const squares = scratch + 5 * size;
  const most = blockRows(wide) * fold;
  const wideStride = stride * fold;
  memory.fill(origin, 0, size);
  memory.fill(center, 0, size);
  for (let done = 0; done < rows; ) {
    const block = min(most, rows - done);
    const wideRows = block / fold;
    const loose = x + <usize>(wideRows * fold) * stride;
    const looseValues = (block - wideRows * fold) * width;
    if (subtractMean) {
      memory.copy(origin, x, <usize>width * F32);
      if (fold > 1) repeatColumns(origin, width);
      memory.fill(sums, 0, size);
      sumRows(x, wideRows, wide, wideStride, origin, sums);
      spreadSums(sums, center, wide);
      if (fold > 1) {
        foldColumns(center, width);
        for (let i = 0; i < looseValues; i++) {
          const at = <usize>i * F32;
          const column = <usize>(i % width) * F32;
          const d = load<f32>(loose + at) - load<f32>(origin + column);
          addTo<f32>(center + column, d);
        }
      }
      const inverse: f32 = <f32>(1 / <f64>block);
      for (let w = 0; w < width; w++) {
        const at = center + <usize>w * F32;
        store<f32>(at, load<f32>(at) * inverse);
      }
      if (fold > 1) repeatColumns(center, width);
    }
    memory.fill(sums, 0, 2 * size);
    squareRows(x, wideRows, wide, wideStride, origin, center, sums, squareSums);
    spreadSums(sums, rests, wide);
    spreadSums(squareSums, squares, wide);
    if (fold > 1) {
      foldColumns(rests, width);
      foldColumns(squares, width);
      for (let i = 0; i < looseValues; i++) {
        const column = <usize>(i % width) * F32;
        const d =
          load<f32>(loose + <usize>i * F32) -
          load<f32>(origin + column) -
          load<f32>(center + column);
        addTo<f32>(rests + column, d);
        addTo<f32>(squares + column, d * d);
      }
    }
    mergeBlock(
      width,
      subtractMean,
      before,
      <f64>block,
      origin,
      center,
      rests,
      squares,
      moments,
      moments + size64,
    );
    before += <f64>block;
    done += block;
    x += <usize>block * stride;
  }
}
