// Mean and squared deviations of values that lie in a row, or in several of equal
// length. Two passes over a block that stays in the first cache: the first finds about
// where its mean is, the second sums deviations from there. So nothing is lost however
// large the mean is, and a constant has deviations of exactly 0.
import {F32, sumLanes, V128} from './lanes';

/** Values that are summed in float32: four lanes of four sums, 128 roundings each. */
export const MOST_VALUES: i32 = 2048;

/** The moments so far. */
export let mean: f64 = 0;
export let squares: f64 = 0;
let count: f64 = 0;

/** Goes on from moments of `before` values. */
export function resume(before: f64, meanBefore: f64, squaresBefore: f64): void {
  count = before;
  mean = meanBefore;
  squares = squaresBefore;
}

/** Adds `runs` rows of `length` values, `stride` bytes from one to the next. */
export function addRuns(
  x: usize,
  runs: i32,
  length: i32,
  stride: usize,
  subtractMean: bool,
): void {
  if (length > MOST_VALUES) {
    for (let run = 0; run < runs; run++) {
      for (let done = 0; done < length; done += MOST_VALUES) {
        const part = min(MOST_VALUES, length - done);
        addBlock(x + <usize>done * F32, 1, part, stride, subtractMean);
      }
      x += stride;
    }
    return;
  }
  const most = MOST_VALUES / length;
  for (let done = 0; done < runs; done += most) {
    addBlock(x, min(most, runs - done), length, stride, subtractMean);
    x += <usize>most * stride;
  }
}

let rest: f64 = 0;
let square: f64 = 0;

// Rows come in one length: their division is done once.
let divisor: f64 = 1;
let reciprocal: f64 = 1;

function addBlock(
  x: usize,
  runs: i32,
  length: i32,
  stride: usize,
  subtractMean: bool,
): void {
  rest = 0;
  square = 0;
  const values = <f64>runs * <f64>length;
  if (!subtractMean) {
    for (let run = 0; run < runs; run++) {
      addSquares(x + <usize>run * stride, length, 0, 0);
    }
    count += values;
    squares += square;
    return;
  }
  if (values !== divisor) {
    divisor = values;
    reciprocal = 1 / values;
  }
  const origin = load<f32>(x);
  let sum: f64 = 0;
  for (let run = 0; run < runs; run++) {
    sum += sumFrom(x + <usize>run * stride, length, origin);
  }
  const center = <f32>(sum * reciprocal);
  for (let run = 0; run < runs; run++) {
    addSquares(x + <usize>run * stride, length, origin, center);
  }
  const own = rest * reciprocal;
  const blockMean = <f64>origin + <f64>center + own;
  const spread = square - rest * own;
  if (count === 0) {
    mean = blockMean;
    squares = spread;
  } else {
    // Chan, Golub and LeVeque, 1979.
    const delta = blockMean - mean;
    const share = values / (count + values);
    mean += delta * share;
    squares += spread + delta * delta * count * share;
  }
  count += values;
}

/** Σ (x − origin) */
function sumFrom(x: usize, length: i32, origin: f32): f64 {
  const o = f32x4.splat(origin);
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  const end = x + <usize>length * F32;
  for (; x + 4 * V128 <= end; x += 4 * V128) {
    s0 = f32x4.add(s0, f32x4.sub(v128.load(x), o));
    s1 = f32x4.add(s1, f32x4.sub(v128.load(x, 16), o));
    s2 = f32x4.add(s2, f32x4.sub(v128.load(x, 32), o));
    s3 = f32x4.add(s3, f32x4.sub(v128.load(x, 48), o));
  }
  for (; x + V128 <= end; x += V128) {
    s0 = f32x4.add(s0, f32x4.sub(v128.load(x), o));
  }
  let sum = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; x < end; x += F32) sum += <f64>(load<f32>(x) - origin);
  return sum;
}

/** Adds Σ d to `rest` and Σ d² to `square`, with d = (x − origin) − center. */
function addSquares(x: usize, length: i32, origin: f32, center: f32): void {
  const o = f32x4.splat(origin);
  const c = f32x4.splat(center);
  let r0 = f32x4.splat(0);
  let r1 = r0;
  let q0 = r0;
  let q1 = r0;
  let q2 = r0;
  let q3 = r0;
  const end = x + <usize>length * F32;
  for (; x + 4 * V128 <= end; x += 4 * V128) {
    const d0 = f32x4.sub(f32x4.sub(v128.load(x), o), c);
    const d1 = f32x4.sub(f32x4.sub(v128.load(x, 16), o), c);
    const d2 = f32x4.sub(f32x4.sub(v128.load(x, 32), o), c);
    const d3 = f32x4.sub(f32x4.sub(v128.load(x, 48), o), c);
    r0 = f32x4.add(r0, f32x4.add(d0, d1));
    r1 = f32x4.add(r1, f32x4.add(d2, d3));
    q0 = f32x4.add(q0, f32x4.mul(d0, d0));
    q1 = f32x4.add(q1, f32x4.mul(d1, d1));
    q2 = f32x4.add(q2, f32x4.mul(d2, d2));
    q3 = f32x4.add(q3, f32x4.mul(d3, d3));
  }
  for (; x + V128 <= end; x += V128) {
    const d = f32x4.sub(f32x4.sub(v128.load(x), o), c);
    r0 = f32x4.add(r0, d);
    q0 = f32x4.add(q0, f32x4.mul(d, d));
  }
  rest += sumLanes(f32x4.add(r0, r1));
  square += sumLanes(f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
  for (; x < end; x += F32) {
    const d = load<f32>(x) - origin - center;
    rest += <f64>d;
    square += <f64>d * <f64>d;
  }
}
