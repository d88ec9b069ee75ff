import type {Lanes} from './plan.js';

/*
 * The parts of shaders. In all of them a lane reads a T at once, a float or four, and
 * computes an A of an item: four floats if that is of four items.
 */

/** The result of a shader. */
export type Kind =
  | 'moments'
  | 'mean'
  | 'variance'
  | 'y'
  | 'sums'
  | 'terms'
  | 'dx'
  | 'parameters'
  | 'total'
  | 'dgamma'
  | 'moved';

/** All that the code of a shader depends on. */
export interface Spec extends Lanes {
  readonly kind: Kind;
  /** The inputs that are there. */
  readonly has: readonly string[];
  /** If true, each item has a statistic; if not, `channel` of them share one. */
  readonly own?: boolean;
  /** If true, gamma and beta go along an item; if not, each item has one of them. */
  readonly along?: boolean;
  /** If true, neighbouring values along an item have neighbouring parameters. */
  readonly dense?: boolean;
  /** If true, gamma and beta have one value for each unit along an item. */
  readonly perOuter?: boolean;
  /** If true, the statistics are constants. */
  readonly given?: boolean;
  /** If true, the mean is subtracted. */
  readonly subtractMean?: boolean;
  /** If true, each item is in one chunk. */
  readonly whole?: boolean;
  /** The plane of sums that is read, where not both are. */
  readonly plane?: 0 | 1 | undefined;
}

/** The uniforms of every shader, in their order. */
export const INTEGERS = [
  ...['items', 'chunks', 'length', 'outer', 'group', 'run'],
  ...['channel', 'inner', 'span', 'batch', 'groups', 'statisticCount', 'parts'],
];
export const FLOATS = ['values', 'epsilon', 'rate'];
export const UNIFORMS = [
  ...INTEGERS.map((name) => `${name} : i32`),
  ...FLOATS.map((name) => `${name} : f32`),
].join(', ');

/** Values that are added in a row, before their sum is added to others. */
const ROW = 32;

/** Neighbouring items in a unit. */
export function sideOf({columns, width}: Lanes): number {
  return columns ? width : 1;
}

const typeOf = (width: number): string => (width === 4 ? 'vec4<f32>' : 'f32');

/** Adds the sums of two sets. */
export const ADD = 'return Acc(p.a + q.a, p.b + q.b, p.c + q.c);';

/**
 * Merges the numbers of values, means and sums of squared deviations of two sets: Chan,
 * Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances" (1979).
 */
export const MERGE = `let n = max(p.a + q.a, A(1));
let d = q.b - p.b;
let r = q.a / n;
return Acc(p.a + q.a, p.b + d * r, p.c + q.c + d * d * p.a * r);`;

/**
 * A whole shader.
 *
 * @param join How the results of lanes are put together.
 * @param body What a lane does: it is the `lane` of item `q`, which is `u` of its batch
 *   `b` and has the statistic `s`, and has every `step`th unit of it from `first`.
 */
export function shader(spec: Spec, join: string, body: string): string {
  const {width, beside, lanes, across, own} = spec;
  const side = sideOf(spec);
  // Neighbouring threads read neighbouring units: of an item, of items side by side, or, if
  // those are few, of their neighbouring chunks.
  return `
alias T = ${typeOf(width)};
alias A = ${typeOf(side)};
struct Acc { a: A, b: A, c: A }
fn join(p: Acc, q: Acc) -> Acc { ${join} }
fn fold(v: T) -> A { return ${width === side ? 'v' : 'dot(v, T(1))'}; }
${gather(spec)}
fn main(index: i32) {
let t = i32(localIndex);
let w = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
let lane = ${beside ? `t / ${across}` : `t % ${lanes}`};
let piece = w * ${across} + ${beside ? `t % ${across}` : `t / ${lanes}`};
let live = piece < uniforms.items * uniforms.chunks;
let chunk = piece ${beside ? '/ uniforms.items' : '% uniforms.chunks'};
let q = piece ${beside ? '% uniforms.items' : '/ uniforms.chunks'};
let b = q / uniforms.group;
let u = q % uniforms.group;
let first = ${beside ? 'lane * uniforms.chunks + chunk' : `chunk * ${lanes} + lane`};
let step = ${lanes} * uniforms.chunks;
let s = ${own ? 'q' : `q * ${side} / uniforms.channel`};
${body}
}`;
}

/**
 * A function that puts together what the lanes of an item have, for the first of them. It
 * waits once: a barrier costs some devices more than the sum.
 */
function gather({beside, lanes, across}: Spec): string {
  if (lanes === 1) {
    return 'fn gather(own: Acc, t: i32, lane: i32) -> Acc { return own; }';
  }
  return `var<workgroup> pool: array<Acc, ${lanes * across}>;
fn gather(own: Acc, t: i32, lane: i32) -> Acc {
pool[t] = own;
workgroupBarrier();
var all = own;
if (lane == 0) {
for (var i = 1; i < ${lanes}; i++) {
all = join(all, pool[t + i * ${beside ? across : 1}]);
}
}
return all;
}`;
}

/** The place of a unit of an item, in units. */
export function place({flat, columns}: Spec, k = 'k'): string {
  if (flat) return `q * uniforms.length + ${k}`;
  if (columns) return `(b * uniforms.outer + ${k}) * uniforms.group + u`;
  return `((b * uniforms.outer + ${k} / uniforms.run) * uniforms.group + u)
* uniforms.run + ${k} % uniforms.run`;
}

/** A gamma or a beta at a unit. */
export function parameter(spec: Spec, name: string): string {
  const {along, dense, width, flat, perOuter} = spec;
  if (perOuter) return `T(${name}[k])`;
  if (!along) return `T(A(${name}[u]))`;
  const at = `u * uniforms.run + k${flat ? '' : ' % uniforms.run'}`;
  return `T(${name}[${dense ? at : `(${at}) * ${width} / uniforms.inner`}])`;
}

/** The number of floats of an input that are read at once. */
export function widthOf(spec: Spec, name: string): number {
  if (name === 'x' || name === 'dy') return spec.width;
  const isParameter = name === 'gamma' || name === 'beta';
  if (spec.perOuter) return isParameter ? 1 : spec.width;
  if (!isParameter) return spec.own ? sideOf(spec) : 1;
  if (!spec.along) return sideOf(spec);
  return spec.dense ? spec.width : 1;
}

/** The number of floats of the output that are written at once. */
export function outputWidth(spec: Spec): number {
  return spec.kind === 'y' || spec.kind === 'dx' ? spec.width : sideOf(spec);
}

/** Sums up `f`, `p` and `r` over the units of an item; the sums are `all`. */
export function sumUp(
  spec: Spec,
  before: string,
  each: string,
  after = '',
): string {
  return collect(`${before}
for (var o = first; o < uniforms.length; o += step * ${ROW}) {
var f = T(); var p = T(); var r = T();
for (var k = o; k < min(o + step * ${ROW}, uniforms.length); k += step) {
let e = ${place(spec)};
${each}
}
all = Acc(all.a + fold(f), all.b + fold(p), all.c + fold(r));
}
${after}`);
}

/** Puts together the `length` sums of an item; the result is `all`. */
export function putTogether({lanes}: Spec, each: string): string {
  return collect(
    `for (var j = lane; j < uniforms.length; j += ${lanes}) { ${each} }`,
  );
}

const collect = (body: string): string =>
  `var all = Acc();
if (live) { ${body} }
all = gather(all, t, lane);`;

/** Writes a value for each unit of an item. */
export function writeEach(spec: Spec, before: string, value: string): string {
  return `if (live) {
${before}
for (var k = first; k < uniforms.length; k += step) {
let e = ${place(spec)};
result[e] = ${value};
}
}`;
}

/** Writes values for each item, plane by plane. */
export function write(...values: readonly string[]): string {
  const lines = values.map(
    (value, i) =>
      `result[(${i} * uniforms.chunks + chunk) * uniforms.items + q] = ${value};`,
  );
  return `if (live && lane == 0) { ${lines.join(' ')} }`;
}
