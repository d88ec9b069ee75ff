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
  centered: bool,
  gamma: usize,
  beta: usize,
  means: usize,
  variances: usize,
): void {
  const bytes = <usize>length * F32;
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < group; g++) {
      resume(0, 0, 0);
      addRuns(x, 1, length, bytes, centered);
      const variance = max<f64>(squares / <f64>length, 0);
      store<f32>(means, <f32>mean);
      store<f32>(variances, <f32>variance);
      rowApply(
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
function rowApply(
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
    applyBoth(x, y, bytes, high, i, shift, gamma, beta);
  } else if (gamma) {
    applyGamma(x, y, bytes, high, i, shift, gamma);
  } else if (beta) {
    applyBeta(x, y, bytes, high, i, shift, beta);
  } else {
    applyNone(x, y, bytes, high, i, shift);
  }
}

// @ts-ignore: decorator
@inline
function standard(x: usize, high: v128, inverse: v128, shift: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.sub(v128.load(x), high), inverse), shift);
}

function applyBoth(
  x: usize,
  y: usize,
  bytes: usize,
  high: f32,
  inverse: f32,
  shift: f32,
  gamma: usize,
  beta: usize,
): void {
  const m = f32x4.splat(high);
  const i = f32x4.splat(inverse);
  const s = f32x4.splat(shift);
  let at: usize = 0;
  for (; at + 2 * V128 <= bytes; at += 2 * V128) {
    const next = at + V128;
    const t0 = standard(x + at, m, i, s);
    const t1 = standard(x + next, m, i, s);
    const y0 = f32x4.mul(t0, v128.load(gamma + at));
    const y1 = f32x4.mul(t1, v128.load(gamma + next));
    v128.store(y + at, f32x4.add(y0, v128.load(beta + at)));
    v128.store(y + next, f32x4.add(y1, v128.load(beta + next)));
  }
  for (; at < bytes; at += F32) {
    const t = (load<f32>(x + at) - high) * inverse + shift;
    store<f32>(y + at, t * load<f32>(gamma + at) + load<f32>(beta + at));
  }
}

function applyGamma(
  x: usize,
  y: usize,
  bytes: usize,
  high: f32,
  inverse: f32,
  shift: f32,
  gamma: usize,
): void {
  const m = f32x4.splat(high);
  const i = f32x4.splat(inverse);
  const s = f32x4.splat(shift);
  let at: usize = 0;
  for (; at + V128 <= bytes; at += V128) {
    const t = standard(x + at, m, i, s);
    v128.store(y + at, f32x4.mul(t, v128.load(gamma + at)));
  }
  for (; at < bytes; at += F32) {
    const t = (load<f32>(x + at) - high) * inverse + shift;
    store<f32>(y + at, t * load<f32>(gamma + at));
  }
}

function applyBeta(
  x: usize,
  y: usize,
  bytes: usize,
  high: f32,
  inverse: f32,
  shift: f32,
  beta: usize,
): void {
  const m = f32x4.splat(high);
  const i = f32x4.splat(inverse);
  const s = f32x4.splat(shift);
  let at: usize = 0;
  for (; at + V128 <= bytes; at += V128) {
    const t = standard(x + at, m, i, s);
    v128.store(y + at, f32x4.add(t, v128.load(beta + at)));
  }
  for (; at < bytes; at += F32) {
    const t = (load<f32>(x + at) - high) * inverse + shift;
    store<f32>(y + at, t + load<f32>(beta + at));
  }
}

function applyNone(
  x: usize,
  y: usize,
  bytes: usize,
  high: f32,
  inverse: f32,
  shift: f32,
): void {
  const m = f32x4.splat(high);
  const i = f32x4.splat(inverse);
  const s = f32x4.splat(shift);
  let at: usize = 0;
  for (; at + V128 <= bytes; at += V128) {
    v128.store(y + at, standard(x + at, m, i, s));
  }
  for (; at < bytes; at += F32) {
    store<f32>(y + at, (load<f32>(x + at) - high) * inverse + shift);
  }
}
