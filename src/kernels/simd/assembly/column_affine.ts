// y = (x − high) · a + b over columns. `high` is the mean as float32 has it, and what
// rounding took of it is part of b: a constant column gives beta exactly.
import {
  foldOf,
  lastVector,
  repeatColumns,
  sumBytes,
  vectorBytes,
} from './columns';
import {F32, F64, inverseDeviation, roundedOff, V128} from './lanes';

/** Bytes of what is known per column, as it is laid out for rows of this width. */
// @ts-ignore: decorator
@inline
export function columnBytes(width: i32): usize {
  return vectorBytes(width * foldOf(width));
}

/**
 * Mean and variance per group of columns, and the constants of {@link columnApply},
 * from moments of `rows` rows.
 *
 * @param mean, variance Where these go: `group` float32 each.
 * @param constants Three times {@link columnBytes}.
 */
export function columnConstants(
  moments: usize,
  rows: f64,
  group: i32,
  channel: i32,
  epsilon: f64,
  subtractMean: bool,
  gamma: usize,
  beta: usize,
  mean: usize,
  variance: usize,
  constants: usize,
): void {
  const squares = moments + sumBytes(group * channel);
  for (let g = 0; g < group; g++) {
    let at = <usize>(g * channel) * F64;
    let center = load<f64>(moments + at);
    let spread = load<f64>(squares + at);
    let count = rows;
    for (let c = 1; c < channel; c++) {
      at += F64;
      const delta = load<f64>(moments + at) - center;
      const total = count + rows;
      center += (delta * rows) / total;
      spread += load<f64>(squares + at) + (delta * delta * count * rows) / total;
      count = total;
    }
    const v = max<f64>(spread / count, 0);
    store<f32>(mean + <usize>g * F32, <f32>center);
    store<f32>(variance + <usize>g * F32, <f32>v);
    setAffine(
      g,
      group,
      channel,
      center,
      inverseDeviation(v, epsilon),
      gamma,
      beta,
      constants,
    );
  }
  repeatConstants(3, group * channel, constants);
}

/** The constants of {@link columnApply} from statistics that are known. */
export function columnConstantsGiven(
  mean: usize,
  variance: usize,
  group: i32,
  channel: i32,
  epsilon: f64,
  subtractMean: bool,
  gamma: usize,
  beta: usize,
  constants: usize,
): void {
  for (let g = 0; g < group; g++) {
    const at = <usize>g * F32;
    setAffine(
      g,
      group,
      channel,
      subtractMean ? <f64>load<f32>(mean + at) : 0,
      inverseDeviation(<f64>load<f32>(variance + at), epsilon),
      gamma,
      beta,
      constants,
    );
  }
  repeatConstants(3, group * channel, constants);
}

function setAffine(
  g: i32,
  group: i32,
  channel: i32,
  mean: f64,
  inverse: f64,
  gamma: usize,
  beta: usize,
  constants: usize,
): void {
  const size = columnBytes(group * channel);
  const low = roundedOff(mean);
  for (let c = 0; c < channel; c++) {
    const at = <usize>(g * channel + c) * F32;
    const a = gamma ? inverse * <f64>load<f32>(gamma + at) : inverse;
    const b = beta ? <f64>load<f32>(beta + at) : 0;
    store<f32>(constants + at, <f32>mean);
    store<f32>(constants + size + at, <f32>a);
    store<f32>(constants + 2 * size + at, <f32>(b - low * a));
  }
}

/** Repeats the constants where four rows are read as one. */
export function repeatConstants(kinds: i32, width: i32, constants: usize): void {
  if (foldOf(width) === 1) return;
  for (let kind = 0; kind < kinds; kind++) {
    repeatColumns(constants + <usize>kind * columnBytes(width), width);
  }
}

/** y = (x − high) · a + b, with these per column, `size` bytes from one to the next. */
export function columnApply(
  x: usize,
  y: usize,
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
    applyStep(true, x, y, wide, stride, constants, size);
    x += 4 * stride;
    y += 4 * stride;
  }
  for (; r < wideRows; r++) {
    applyStep(false, x, y, wide, stride, constants, size);
    x += stride;
    y += stride;
  }
  const loose = <usize>((rows - wideRows * fold) * width) * F32;
  for (let at: usize = 0; at < loose; at += F32) {
    const high = constants + at;
    const d = load<f32>(x + at) - load<f32>(high);
    store<f32>(y + at, d * load<f32>(high + size) + load<f32>(high + 2 * size));
  }
}

/** Four rows at once, or one. */
// @ts-ignore: decorator
@inline
function applyStep(
  four: bool,
  x: usize,
  y: usize,
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
    const from = x + at;
    const to = y + at;
    applyVector(from, to, m, a, b);
    if (four) {
      applyVector(from + stride, to + stride, m, a, b);
      applyVector(from + 2 * stride, to + 2 * stride, m, a, b);
      applyVector(from + 3 * stride, to + 3 * stride, m, a, b);
    }
  }
}

// @ts-ignore: decorator
@inline
function applyVector(x: usize, y: usize, high: v128, a: v128, b: v128): void {
  v128.store(y, f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), high), a), b));
}
