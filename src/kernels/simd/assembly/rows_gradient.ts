// dx = A · dy · gamma + B · (x − high) + C over rows, and dgamma and dbeta along them.
import {addFlow, beginFlow, flow, product, rest} from './flow';
import {addTo, addVector, drain, F32, F64, inverseDeviation, V128} from './lanes';

/** Rows whose dgamma and dbeta are added up in float32 before they go into float64. */
const MOST_ROWS: i32 = 64;

// The row in hand: the mean as float32 has it, x̂ = (x − high) · inverse + shift, and
// the constants of its dx.
let high: f32 = 0;
let inverse: f32 = 0;
let shift: f32 = 0;
let along: f32 = 0;
let offset: f32 = 0;

/**
 * The gradient of whole rows.
 *
 * @param dmean, dvariance A float32 per row, or 0 where nothing flows through them.
 * @param dgamma, dbeta Sums in float32, `group · length` each, to be added to; 0 where
 *   there is no parameter. With a gamma both are there.
 * @param totals Twice as many float64 that the sums are drained into, or 0 where all
 *   rows together are few.
 */
export function rowsGrad(
  dy: usize,
  x: usize,
  dx: usize,
  batch: i32,
  group: i32,
  length: i32,
  epsilon: f64,
  subtractMean: bool,
  means: usize,
  variances: usize,
  gamma: usize,
  dmean: usize,
  dvariance: usize,
  dgamma: usize,
  dbeta: usize,
  totals: usize,
): void {
  const bytes = <usize>length * F32;
  for (let b = 0; b < batch; b++) {
    for (let g = 0; g < group; g++) {
      const parameter = <usize>g * bytes;
      const ownGamma = gamma ? gamma + parameter : 0;
      high = subtractMean ? load<f32>(means) : 0;
      beginFlow();
      addFlow(dy, x, length, high, ownGamma);
      rowConstants(
        <f64>length,
        epsilon,
        subtractMean,
        <f64>load<f32>(variances),
        dmean ? <f64>load<f32>(dmean) : 0,
        dvariance ? <f64>load<f32>(dvariance) : 0,
      );
      rowGradient(
        dy,
        x,
        dx,
        length,
        ownGamma,
        dgamma ? dgamma + parameter : 0,
        dbeta ? dbeta + parameter : 0,
      );
      dy += bytes;
      x += bytes;
      dx += bytes;
      means += F32;
      variances += F32;
      if (dmean) dmean += F32;
      if (dvariance) dvariance += F32;
    }
    if (totals && (b + 1 === batch || (b + 1) % MOST_ROWS === 0)) {
      drainParameters(dgamma, dbeta, group * length, totals);
    }
  }
}

/** Empties the float32 sums of dgamma and dbeta into those in float64. */
function drainParameters(
  dgamma: usize,
  dbeta: usize,
  length: i32,
  totals: usize,
): void {
  if (dgamma) drain(dgamma, totals, length);
  if (dbeta) drain(dbeta, totals + <usize>length * F64, length);
}

/** Sets the constants of a row's dx, from the sums over the row. */
function rowConstants(
  count: f64,
  epsilon: f64,
  subtractMean: bool,
  variance: f64,
  dmean: f64,
  dvariance: f64,
): void {
  const i = inverseDeviation(variance, epsilon);
  const center = subtractMean ? rest / count : 0;
  const b =
    (2 * dvariance - i * i * i * (product - center * flow)) / count;
  const c = subtractMean ? (dmean - i * flow) / count : 0;
  inverse = <f32>i;
  shift = <f32>(-center * i);
  along = <f32>b;
  offset = <f32>(c - b * center);
}

function rowGradient(
  dy: usize,
  x: usize,
  dx: usize,
  length: i32,
  gamma: usize,
  dgamma: usize,
  dbeta: usize,
): void {
  const bytes = <usize>length * F32;
  const i = inverse;
  const b = along;
  const c = offset;
  if (gamma) {
    gradRow(dy, x, dx, bytes, high, i, b, c, true, gamma, dgamma, shift, true, dbeta);
  } else if (dbeta) {
    gradRow(dy, x, dx, bytes, high, i, b, c, false, 0, 0, 0, true, dbeta);
  } else {
    gradRow(dy, x, dx, bytes, high, i, b, c);
  }
}

/**
 * dx = a · dy · gamma + b · (x − high) + c over values in a row. Adds dy · x̂ to dgamma,
 * with x̂ = (x − high) · a + shift, and dy to dbeta. Inlined where `scaled` and `shifted`
 * are known, so that no loop asks for them.
 */
// @ts-ignore: decorator
@inline
export function gradRow(
  dy: usize,
  x: usize,
  dx: usize,
  bytes: usize,
  high: f32,
  a: f32,
  b: f32,
  c: f32,
  scaled: bool = false,
  gamma: usize = 0,
  dgamma: usize = 0,
  shift: f32 = 0,
  shifted: bool = false,
  dbeta: usize = 0,
): void {
  const m = f32x4.splat(high);
  const va = f32x4.splat(a);
  const vb = f32x4.splat(b);
  const vc = f32x4.splat(c);
  const s = f32x4.splat(shift);
  let at: usize = 0;
  for (; at + V128 <= bytes; at += V128) {
    const g = v128.load(dy + at);
    const d = f32x4.sub(v128.load(x + at), m);
    let direct = g;
    if (scaled) {
      const standard = f32x4.add(f32x4.mul(d, va), s);
      addVector(dgamma + at, f32x4.mul(g, standard));
      direct = f32x4.mul(g, v128.load(gamma + at));
    }
    if (shifted) addVector(dbeta + at, g);
    const own = f32x4.add(f32x4.mul(d, vb), vc);
    v128.store(dx + at, f32x4.add(f32x4.mul(direct, va), own));
  }
  for (; at < bytes; at += F32) {
    const g = load<f32>(dy + at);
    const d = load<f32>(x + at) - high;
    let direct = g;
    if (scaled) {
      addTo<f32>(dgamma + at, g * (d * a + shift));
      direct *= load<f32>(gamma + at);
    }
    if (shifted) addTo<f32>(dbeta + at, g);
    store<f32>(dx + at, direct * a + (d * b + c));
  }
}
