// Rows: [batch, group, length] with statistics per row of `length` values, and gamma
// and beta along it. Layer normalization. Each row is read twice or three times in
// turn, while it is in the first cache.
import {F32, inverseDeviation, roundedOff, V128} from './lanes';
import {addRuns, mean, resume, squares} from './moments';

/** Normalizes whole rows, and writes mean and variance: a float32 per row. */
export function rowsNormalize(
  x: usize,
  y: usize,
  batch: i32,
  group: i32,
  length: i32,
  epsilon: f64,
  subtractMean: bool,
  gamma: usize,
  beta: usize,
  means: usize,
  variances: usize,
): void {
  const bytes = <usize>length * F32;
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < group; g++) {
      resume(0, 0, 0);
      addRuns(x, 1, length, bytes, subtractMean);
      const variance = max<f64>(squares / <f64>length, 0);
      store<f32>(means, <f32>mean);
      store<f32>(variances, <f32>variance);
      normalizeRow(
        x,
        y,
        length,
        mean,
        inverseDeviation(variance, epsilon),
        gamma ? gamma + <usize>g * bytes : 0,
        beta ? beta + <usize>g * bytes : 0,
      );
      x += bytes;
      y += bytes;
      means += F32;
      variances += F32;
    }
  }
}

/** y = ((x − mean) · inverse) · gamma + beta over a row. */
function normalizeRow(
  x: usize,
  y: usize,
  length: i32,
  center: f64,
  inverse: f64,
  gamma: usize,
  beta: usize,
): void {
  const high = <f32>center;
  const i = <f32>inverse;
  const shift = <f32>(-roundedOff(center) * inverse);
  const bytes = <usize>length * F32;
  if (gamma && beta) {
    applyRow(x, y, bytes, high, i, shift, true, gamma, true, beta);
  } else if (gamma) {
    applyRow(x, y, bytes, high, i, shift, true, gamma);
  } else if (beta) {
    applyRow(x, y, bytes, high, i, shift, false, 0, true, beta);
  } else {
    applyRow(x, y, bytes, high, i, shift);
  }
}

/**
 * y = ((x − high) · a + b) · gamma + beta over values in a row. Inlined where `scaled`
 * and `shifted` are known, so that no loop asks for them.
 */
// @ts-ignore: decorator
@inline
export function applyRow(
  x: usize,
  y: usize,
  bytes: usize,
  high: f32,
  a: f32,
  b: f32,
  scaled: bool = false,
  gamma: usize = 0,
  shifted: bool = false,
  beta: usize = 0,
): void {
  const m = f32x4.splat(high);
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  let at: usize = 0;
  for (; at + V128 <= bytes; at += V128) {
    const d = f32x4.sub(v128.load(x + at), m);
    let t = f32x4.add(f32x4.mul(d, va), vb);
    if (scaled) t = f32x4.mul(t, v128.load(gamma + at));
    if (shifted) t = f32x4.add(t, v128.load(beta + at));
    v128.store(y + at, t);
  }
  for (; at < bytes; at += F32) {
    let t = (load<f32>(x + at) - high) * a + b;
    if (scaled) t *= load<f32>(gamma + at);
    if (shifted) t += load<f32>(beta + at);
    store<f32>(y + at, t);
  }
}
