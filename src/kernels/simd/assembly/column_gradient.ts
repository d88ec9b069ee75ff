// dx = A · dy + B · (x − high) + C over columns, with constants from three sums per
// column: Σ dy, Σ dy · (x − high) and Σ (x − high). The last is what rounding took of
// the mean, times the number of rows.
import {columnBytes, repeatConstants} from './column_affine';
import {
  blockRows,
  foldColumns,
  foldOf,
  lastVector,
  spreadSums,
  sumBytes,
  vectorBytes,
} from './columns';
import {
  addTo,
  addVector,
  drain,
  F32,
  F64,
  inverseDeviation,
  sumOf8,
  V128,
} from './lanes';

/**
 * Begins a gradient: `high` of the constants, and totals of zero.
 *
 * @param totals Three times {@link sumBytes} of the columns.
 */
export function columnGradBegin(
  mean: usize,
  group: i32,
  channel: i32,
  subtractMean: bool,
  totals: usize,
  constants: usize,
): void {
  const width = group * channel;
  for (let w = 0; w < width; w++) {
    const m: f32 = subtractMean ? load<f32>(mean + <usize>(w / channel) * F32) : 0;
    store<f32>(constants + <usize>w * F32, m);
  }
  repeatConstants(1, width, constants);
  memory.fill(totals, 0, 3 * sumBytes(width));
}

/**
 * Adds rows to the totals.
 *
 * @param scratch Six times {@link columnBytes}.
 */
export function columnGradSums(
  dy: usize,
  x: usize,
  rows: i32,
  width: i32,
  stride: usize,
  constants: usize,
  totals: usize,
  size64: usize,
  scratch: usize,
): void {
  const fold = foldOf(width);
  const wide = width * fold;
  const size = columnBytes(width);
  const columns = scratch + 3 * size;
  const most = blockRows(wide) * fold;
  for (let done = 0; done < rows; ) {
    const block = min(most, rows - done);
    const wideRows = block / fold;
    memory.fill(scratch, 0, 3 * size);
    sumRows(dy, x, wideRows, wide, stride * fold, constants, scratch, size);
    for (let kind = 0; kind < 3; kind++) {
      const at = <usize>kind * size;
      spreadSums(scratch + at, columns + at, wide);
      if (fold > 1) foldColumns(columns + at, width);
    }
    const loose = <usize>(wideRows * fold) * stride;
    const looseValues = (block - wideRows * fold) * width;
    for (let i = 0; i < looseValues; i++) {
      const at = <usize>i * F32 + loose;
      const column = columns + <usize>(i % width) * F32;
      const flow = load<f32>(dy + at);
      const d = load<f32>(x + at) - load<f32>(constants + <usize>i * F32);
      addTo<f32>(column, flow);
      addTo<f32>(column + size, flow * d);
      addTo<f32>(column + 2 * size, d);
    }
    for (let kind = 0; kind < 3; kind++) {
      const total = totals + <usize>kind * size64;
      drain(columns + <usize>kind * size, total, width);
    }
    done += block;
    dy += <usize>block * stride;
    x += <usize>block * stride;
  }
}

function sumRows(
  dy: usize,
  x: usize,
  rows: i32,
  width: i32,
  stride: usize,
  high: usize,
  sums: usize,
  size: usize,
): void {
  let r = 0;
  for (; r + 8 <= rows; r += 8) {
    sumStep(true, dy, x, width, stride, high, sums, size);
    dy += 8 * stride;
    x += 8 * stride;
  }
  for (; r < rows; r++) {
    sumStep(false, dy, x, width, stride, high, sums, size);
    dy += stride;
    x += stride;
  }
}

/** Eight rows at once, or one. */
// @ts-ignore: decorator
@inline
function sumStep(
  eight: bool,
  dy: usize,
  x: usize,
  width: i32,
  stride: usize,
  high: usize,
  sums: usize,
  size: usize,
): void {
  const last = lastVector(width);
  const end = vectorBytes(width);
  for (let place: usize = 0; place < end; place += V128) {
    const at = min(place, last);
    const m = v128.load(high + at);
    const dy0 = dy + at;
    const x0 = x + at;
    const sum = sums + place;
    const g0 = v128.load(dy0);
    const d0 = f32x4.sub(v128.load(x0), m);
    if (eight) {
      const dy4 = dy0 + 4 * stride;
      const g1 = v128.load(dy0 + stride);
      const g2 = v128.load(dy0 + 2 * stride);
      const g3 = v128.load(dy0 + 3 * stride);
      const g4 = v128.load(dy4);
      const g5 = v128.load(dy4 + stride);
      const g6 = v128.load(dy4 + 2 * stride);
      const g7 = v128.load(dy4 + 3 * stride);
      addVector(sum, sumOf8(g0, g1, g2, g3, g4, g5, g6, g7));
      const x4 = x0 + 4 * stride;
      const d1 = f32x4.sub(v128.load(x0 + stride), m);
      const d2 = f32x4.sub(v128.load(x0 + 2 * stride), m);
      const d3 = f32x4.sub(v128.load(x0 + 3 * stride), m);
      const d4 = f32x4.sub(v128.load(x4), m);
      const d5 = f32x4.sub(v128.load(x4 + stride), m);
      const d6 = f32x4.sub(v128.load(x4 + 2 * stride), m);
      const d7 = f32x4.sub(v128.load(x4 + 3 * stride), m);
      const products = sumOf8(
        f32x4.mul(g0, d0),
        f32x4.mul(g1, d1),
        f32x4.mul(g2, d2),
        f32x4.mul(g3, d3),
        f32x4.mul(g4, d4),
        f32x4.mul(g5, d5),
        f32x4.mul(g6, d6),
        f32x4.mul(g7, d7),
      );
      addVector(sum + size, products);
      addVector(sum + 2 * size, sumOf8(d0, d1, d2, d3, d4, d5, d6, d7));
    } else {
      addVector(sum, g0);
      addVector(sum + size, f32x4.mul(g0, d0));
      addVector(sum + 2 * size, d0);
    }
  }
}

/**
 * A, B and C of the constants, from the totals over `rows` rows; dgamma and dbeta are
 * added to `parameters`: twice {@link sumBytes}.
 *
 * @param given If true, the statistics are known, dx = A · dy, and the constants are those
 *   with which {@link columnApply} of dy gives it.
 */
export function columnGradConstants(
  totals: usize,
  rows: f64,
  group: i32,
  channel: i32,
  epsilon: f64,
  subtractMean: bool,
  given: bool,
  variance: usize,
  gamma: usize,
  dmean: usize,
  dvariance: usize,
  parameters: usize,
  constants: usize,
): void {
  const width = group * channel;
  const size = columnBytes(width);
  const size64 = sumBytes(width);
  const count = rows * <f64>channel;
  for (let g = 0; g < group; g++) {
    const s = <usize>g * F32;
    const first = g * channel;
    const inverse = inverseDeviation(<f64>load<f32>(variance + s), epsilon);
    let rest: f64 = 0;
    if (subtractMean && !given) {
      for (let c = 0; c < channel; c++) {
        rest += load<f64>(totals + 2 * size64 + <usize>(first + c) * F64);
      }
      rest /= count;
    }
    let flow: f64 = 0;
    let along: f64 = 0;
    for (let c = 0; c < channel; c++) {
      const at = <usize>(first + c) * F32;
      const at64 = <usize>(first + c) * F64;
      const sum = load<f64>(totals + at64);
      const product = load<f64>(totals + size64 + at64) - rest * sum;
      const scale = gamma ? <f64>load<f32>(gamma + at) : 1;
      flow += scale * sum;
      along += scale * product;
      addTo<f64>(parameters + at64, inverse * product);
      addTo<f64>(parameters + size64 + at64, sum);
      store<f32>(constants + size + at, <f32>(inverse * scale));
    }
    let b: f64 = (-inverse * inverse * inverse * along) / count;
    let c0: f64 = subtractMean ? (-inverse * flow) / count : 0;
    if (dvariance) b += (2 * <f64>load<f32>(dvariance + s)) / count;
    if (dmean && subtractMean) c0 += <f64>load<f32>(dmean + s) / count;
    if (given) {
      b = 0;
      c0 = 0;
    }
    for (let c = 0; c < channel; c++) {
      const at = <usize>(first + c) * F32;
      if (given) store<f32>(constants + at, 0);
      store<f32>(constants + 2 * size + at, <f32>b);
      store<f32>(constants + 3 * size + at, <f32>(c0 - b * rest));
    }
  }
  repeatConstants(4, width, constants);
}

/** dx = A · dy + B · (x − high) + C */
export function columnGradApply(
  dy: usize,
  x: usize,
  dx: usize,
  rows: i32,
  width: i32,
  stride: usize,
  constants: usize,
  size: usize,
): void {
  const fold = foldOf(width);
  const wide = width * fold;
  stride *= fold;
  const wideRows = rows / fold;
  let r = 0;
  for (; r + 4 <= wideRows; r += 4) {
    gradStep(true, dy, x, dx, wide, stride, constants, size);
    dy += 4 * stride;
    x += 4 * stride;
    dx += 4 * stride;
  }
  for (; r < wideRows; r++) {
    gradStep(false, dy, x, dx, wide, stride, constants, size);
    dy += stride;
    x += stride;
    dx += stride;
  }
  const loose = <usize>((rows - wideRows * fold) * width) * F32;
  for (let at: usize = 0; at < loose; at += F32) {
    const high = constants + at;
    const d = load<f32>(x + at) - load<f32>(high);
    const own = d * load<f32>(high + 2 * size) + load<f32>(high + 3 * size);
    store<f32>(dx + at, load<f32>(dy + at) * load<f32>(high + size) + own);
  }
}

/** Four rows at once, or one. */
// @ts-ignore: decorator
@inline
function gradStep(
  four: bool,
  dy: usize,
  x: usize,
  dx: usize,
  width: i32,
  stride: usize,
  constants: usize,
  size: usize,
): void {
  const last = lastVector(width);
  const end = vectorBytes(width);
  for (let place: usize = 0; place < end; place += V128) {
    const at = min(place, last);
    const high = constants + at;
    const m = v128.load(high);
    const a = v128.load(high + size);
    const b = v128.load(high + 2 * size);
    const c = v128.load(high + 3 * size);
    const from = dy + at;
    const x0 = x + at;
    const to = dx + at;
    gradVector(from, x0, to, m, a, b, c);
    if (four) {
      const two: usize = 2 * stride;
      const three: usize = 3 * stride;
      gradVector(from + stride, x0 + stride, to + stride, m, a, b, c);
      gradVector(from + two, x0 + two, to + two, m, a, b, c);
      gradVector(from + three, x0 + three, to + three, m, a, b, c);
    }
  }
}

// @ts-ignore: decorator
@inline
function gradVector(
  dy: usize,
  x: usize,
  dx: usize,
  high: v128,
  a: v128,
  b: v128,
  c: v128,
): void {
  const own = f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), high), b), c);
  v128.store(dx, f32x4.add(f32x4.mul(v128.load(dy), a), own));
}
