// Four float32 lanes at a time. Addresses are bytes, lengths are numbers of values,
// and no address needs to be aligned to more than its values.

/** Bytes of a float32, and of a vector of four. */
export const F32: usize = 4;
export const V128: usize = 16;
/** Bytes of a float64. */
export const F64: usize = 8;

// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f64 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  const high = f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
  return <f64>(low + high);
}

/** The sum of eight, as a tree: three roundings and not seven. */
// @ts-ignore: decorator
@inline
export function sumOf8(
  a: v128,
  b: v128,
  c: v128,
  d: v128,
  e: v128,
  f: v128,
  g: v128,
  h: v128,
): v128 {
  return f32x4.add(
    f32x4.add(f32x4.add(a, b), f32x4.add(c, d)),
    f32x4.add(f32x4.add(e, f), f32x4.add(g, h)),
  );
}

/** Adds to the value at an address. */
// @ts-ignore: decorator
@inline
export function addTo<T>(address: usize, value: T): void {
  // @ts-ignore: T is a type of numbers
  store<T>(address, load<T>(address) + value);
}

/** Adds four float32 to those at an address. */
// @ts-ignore: decorator
@inline
export function addVector(address: usize, v: v128): void {
  v128.store(address, f32x4.add(v128.load(address), v));
}

/** Two float32 as float64. */
// @ts-ignore: decorator
@inline
export function loadPair(address: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(address));
}

/** `1 / sqrt(variance + epsilon)`. */
// @ts-ignore: decorator
@inline
export function inverseDeviation(variance: f64, epsilon: f64): f64 {
  return 1 / sqrt<f64>(variance + epsilon);
}

/** The part of a value that rounding to float32 loses. */
// @ts-ignore: decorator
@inline
export function roundedOff(value: f64): f64 {
  return value - <f64>(<f32>value);
}

/** `to[i] = from[i]`, from float64 to float32. */
export function demote(from: usize, to: usize, length: i32): void {
  for (let i = 0; i < length; i++) {
    store<f32>(to + <usize>i * F32, <f32>load<f64>(from + <usize>i * F64));
  }
}

/** `totals[i] += sums[i]`, from float32 to float64; the sums are zero after it. */
export function drain(sums: usize, totals: usize, length: i32): void {
  let i = 0;
  for (; i + 2 <= length; i += 2) {
    const total = totals + <usize>i * F64;
    const sum = sums + <usize>i * F32;
    v128.store(total, f64x2.add(v128.load(total), loadPair(sum)));
  }
  if (i < length) {
    const total = totals + <usize>i * F64;
    addTo<f64>(total, <f64>load<f32>(sums + <usize>i * F32));
  }
  memory.fill(sums, 0, <usize>length * F32);
}

/** Sets bytes to zero. */
export function zero(address: usize, bytes: usize): void {
  memory.fill(address, 0, bytes);
}
