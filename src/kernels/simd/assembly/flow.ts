// The three sums that a gradient needs of a statistic's values: Σ g, Σ g · (x − high)
// and Σ (x − high), with g = dy, or dy · gamma. In float32 within blocks, in float64 over
// them.
import {F32, sumLanes, V128} from './lanes';

/** Values of a block: four lanes of two sums, 128 roundings each. */
const MOST_VALUES: i32 = 1024;

/** The sums since {@link beginFlow}. */
export let flow: f64 = 0;
export let product: f64 = 0;
export let rest: f64 = 0;

export function beginFlow(): void {
  flow = 0;
  product = 0;
  rest = 0;
}

/** Adds a run of values, with a gamma for each or with none. */
export function addFlow(
  dy: usize,
  x: usize,
  length: i32,
  high: f32,
  gamma: usize = 0,
): void {
  for (let done = 0; done < length; done += MOST_VALUES) {
    const at = <usize>done * F32;
    const part = min(MOST_VALUES, length - done);
    if (gamma) {
      addBlock(dy + at, x + at, part, high, true, gamma + at);
    } else {
      addBlock(dy + at, x + at, part, high);
    }
  }
}

// Inlined where `scaled` is known, so that no loop asks for it.
// @ts-ignore: decorator
@inline
function addBlock(
  dy: usize,
  x: usize,
  length: i32,
  high: f32,
  scaled: bool = false,
  gamma: usize = 0,
): void {
  const m = f32x4.splat(high);
  let f0 = f32x4.splat(0);
  let f1 = f0;
  let p0 = f0;
  let p1 = f0;
  let r0 = f0;
  let r1 = f0;
  const end = x + <usize>length * F32;
  for (; x + 2 * V128 <= end; x += 2 * V128) {
    let g0 = v128.load(dy);
    let g1 = v128.load(dy, 16);
    if (scaled) {
      g0 = f32x4.mul(g0, v128.load(gamma));
      g1 = f32x4.mul(g1, v128.load(gamma, 16));
      gamma += 2 * V128;
    }
    const d0 = f32x4.sub(v128.load(x), m);
    const d1 = f32x4.sub(v128.load(x, 16), m);
    f0 = f32x4.add(f0, g0);
    f1 = f32x4.add(f1, g1);
    p0 = f32x4.add(p0, f32x4.mul(g0, d0));
    p1 = f32x4.add(p1, f32x4.mul(g1, d1));
    r0 = f32x4.add(r0, d0);
    r1 = f32x4.add(r1, d1);
    dy += 2 * V128;
  }
  flow += sumLanes(f32x4.add(f0, f1));
  product += sumLanes(f32x4.add(p0, p1));
  rest += sumLanes(f32x4.add(r0, r1));
  for (; x < end; x += F32) {
    let g = load<f32>(dy);
    if (scaled) {
      g *= load<f32>(gamma);
      gamma += F32;
    }
    const d = load<f32>(x) - high;
    flow += <f64>g;
    product += <f64>g * <f64>d;
    rest += <f64>d;
    dy += F32;
  }
}
