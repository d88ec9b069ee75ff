import type {Lanes} from './plan.js';

/*
 * The kernels in WGSL, put together from parts. A shader's code depends on its spec alone,
 * which is also its key: sizes, and epsilon, are uniforms.
 */

/** What a shader computes. */
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
  /** If true, one statistic belongs to each item; if not, to each `channel` of them. */
  readonly own?: boolean;
  /** If true, gamma and beta go along an item; if not, each item has one of them. */
  readonly along?: boolean;
  /** If true, neighbouring values of an item have neighbouring parameters. */
  readonly dense?: boolean;
  /** If true, the statistics are constants. */
  readonly given?: boolean;
  /** If true, the mean is subtracted. */
  readonly centered?: boolean;
  /** If true, the sums are put to use at once, for there is one chunk. */
  readonly whole?: boolean;
  /** Which of the sums. */
  readonly plane?: number;
}

/** The uniforms of every shader, in their order. */
export const INTEGERS = [
  'items',
  'chunks',
  'length',
  'outer',
  'group',
  'run',
  'channel',
  'inner',
  'span',
  'batch',
  'groups',
  'statistics',
  'parts',
] as const;
export const FLOATS = ['values', 'epsilon', 'rate'] as const;

export const UNIFORMS = [
  ...INTEGERS.map((name) => `${name} : i32`),
  ...FLOATS.map((name) => `${name} : f32`),
].join(', ');

/** Values that are added in a row, before their sum is added to others. */
const ROW = 32;

/** Sums that one thread puts together. */
const FEW = 16;

/** The bits of a float32 that are all set where it is not finite. */
const NOT_FINITE = '0x7f800000u';

/** How many floats of an input are read at once. */
export function widthOf(spec: Spec, name: string): number {
  switch (name) {
    case 'x':
    case 'dy':
      return spec.width;
    case 'gamma':
    case 'beta':
      return spec.along ? (spec.dense ? spec.width : 1) : sideWidth(spec);
    default:
      return spec.own ? sideWidth(spec) : 1;
  }
}

/** How many floats of an output are written at once. */
export function outputWidth(spec: Spec): number {
  return spec.kind === 'y' || spec.kind === 'dx' ? spec.width : sideWidth(spec);
}

/** Neighbouring items in a unit. */
function sideWidth({columns, width}: Lanes): number {
  return columns ? width : 1;
}

function typeOf(width: number): string {
  return width === 4 ? 'vec4<f32>' : 'f32';
}

/** The code of a shader. */
export function codeOf(spec: Spec): string {
  const {kind} = spec;
  const merging = ['moments', 'y', 'mean', 'variance'].includes(kind);
  return `
alias T = ${typeOf(spec.width)};
alias A = ${typeOf(sideWidth(spec))};
struct Acc { a: A, b: A, c: A }
${merging ? MERGE : ADD}
fn fold(v: T) -> A { return ${
    spec.width === sideWidth(spec) ? 'v' : 'dot(v, T(1))'
  }; }
${spec.lanes > 1 ? gather(spec) : ''}
fn main(index: i32) {
  let t = i32(localIndex);
  let w = i32(workgroupId.y * numWorkgroups.x + workgroupId.x);
  let lane = ${spec.columns ? `t / ${spec.across}` : `t % ${spec.lanes}`};
  let chunk = w % uniforms.chunks;
  let q = w / uniforms.chunks * ${spec.across} + ${
    spec.columns ? `t % ${spec.across}` : `t / ${spec.lanes}`
  };
  let live = q < uniforms.items;
  let b = q / uniforms.group;
  let u = q % uniforms.group;
  let first = chunk * ${spec.lanes} + lane;
  let step = ${spec.lanes} * uniforms.chunks;
  let s = ${spec.own ? 'q' : `q * ${sideWidth(spec)} / uniforms.channel`};
  let plane = uniforms.parts * uniforms.statistics;
  ${BODIES[kind](spec)}
}`;
}

/** Puts the sums of two sets together. */
const ADD = `fn join(p: Acc, q: Acc) -> Acc {
  return Acc(p.a + q.a, p.b + q.b, p.c + q.c);
}`;

/**
 * Puts together the numbers of values, means and sums of squared deviations of two sets:
 * Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
 * sample variances" (1979).
 */
const MERGE = `fn join(p: Acc, q: Acc) -> Acc {
  let n = max(p.a + q.a, A(1));
  let d = q.b - p.b;
  let r = q.a / n;
  return Acc(p.a + q.a, p.b + d * r, p.c + q.c + d * d * p.a * r);
}`;

/** Puts together what the lanes of an item have; each of them gets all. */
function gather({columns, lanes, across}: Spec): string {
  const [threads, apart, firstOne] = columns
    ? [lanes * across, across, `t % ${across}`]
    : [lanes * across, 1, `t / ${lanes} * ${lanes}`];
  const add = (from: string, to: string, by: number): string =>
    `var acc = pool[home + (${from}) * ${apart}];
    for (var i = ${from} + ${by}; i < ${to}; i += ${by}) {
      acc = join(acc, pool[home + i * ${apart}]);
    }
    pool[home + (${from}) * ${apart}] = acc;`;
  return `var<workgroup> pool: array<Acc, ${threads}>;
fn gather(own: Acc, t: i32, lane: i32) -> Acc {
  let home = ${firstOne};
  pool[t] = own;
  workgroupBarrier();
  if (lane % ${FEW} == 0) { ${add('lane', `min(lane + ${FEW}, ${lanes})`, 1)} }
  workgroupBarrier();
  ${
    lanes > FEW
      ? `if (lane == 0) { ${add('0', String(lanes), FEW)} }
  workgroupBarrier();`
      : ''
  }
  return pool[home];
}`;
}

const gathered = ({lanes}: Spec, value: string): string =>
  lanes > 1 ? `gather(${value}, t, lane)` : value;

/** The place of a unit of an item. */
function place({flat, columns}: Spec, k = 'k'): string {
  if (flat) return `q * uniforms.length + ${k}`;
  if (columns) return `(b * uniforms.outer + ${k}) * uniforms.group + u`;
  return `((b * uniforms.outer + ${k} / uniforms.run) * uniforms.group + u)
    * uniforms.run + ${k} % uniforms.run`;
}

/** A gamma or a beta at a unit. */
function parameter({along, dense, width}: Spec, name: string): string {
  if (!along) return `T(A(${name}[u]))`;
  const at = 'u * uniforms.run + k % uniforms.run';
  return `T(${name}[${dense ? at : `(${at}) * ${width} / uniforms.inner`}])`;
}

const ifHas = (
  {has}: Spec,
  name: string,
  then: (name: string) => string,
  otherwise = '',
): string => (has.includes(name) ? then(name) : otherwise);

/** Adds up f, p and r over a lane's units, and then over the lanes; those of all in `all`. */
function summing(spec: Spec, before: string, each: string, after = ''): string {
  return `var all = Acc();
  if (live) {
    ${before}
    for (var o = first; o < uniforms.length; o += step * ${ROW}) {
      var f = T(); var p = T(); var r = T();
      for (var k = o; k < min(o + step * ${ROW}, uniforms.length); k += step) {
        let e = ${place(spec)};
        ${each}
      }
      all = Acc(all.a + fold(f), all.b + fold(p), all.c + fold(r));
    }
    ${after}
  }
  all = ${gathered(spec, 'all')};`;
}

/** Does something for each of a lane's units. */
const forEach = (spec: Spec, before: string, each: string): string =>
  `if (live) {
    ${before}
    for (var k = first; k < uniforms.length; k += step) {
      let e = ${place(spec)};
      result[e] = ${each};
    }
  }`;

const write = (values: readonly string[]): string =>
  `if (live && lane == 0) { ${values
    .map(
      (value, i) =>
        `result[(${i} * uniforms.chunks + chunk) * uniforms.items + q] = ${value};`,
    )
    .join('')} }`;

/** What is kept of a statistic's values: see `moments`. */
const moments = (spec: Spec): string => {
  const part = (j: string): string =>
    `Acc(A(parts[${j} * uniforms.statistics + s]),
      A(parts[plane + ${j} * uniforms.statistics + s]),
      A(parts[2 * plane + ${j} * uniforms.statistics + s]))`;
  if (spec.whole) return `let all = ${part('0')};`;
  return `var all = Acc();
  if (live) {
    for (var j = lane; j < uniforms.parts; j += ${spec.lanes}) {
      all = join(all, ${part('j')});
    }
  }
  all = ${gathered(spec, 'all')};`;
};

const ORIGIN = 'A(parts[3 * plane + s])';

/** What a gradient needs of a statistic: m, low, inv. */
const statistic = (spec: Spec, place = 's'): string => {
  if (!spec.given) {
    return ['m', 'low', 'inv']
      .map(
        (name, i) =>
          `let ${name} = A(terms[${i} * uniforms.statistics + ${place}]);`,
      )
      .join('');
  }
  return `let m = ${ifHas(spec, 'mean', () => `A(mean[${place}])`, 'A()')};
    let low = A();
    let inv = inverseSqrt(A(variance[${place}]) + A(uniforms.epsilon));`;
};

/** What dx is made of, for each statistic, from the sums of dy, dy · (x − m) and x − m. */
const terms = (spec: Spec): string =>
  `${statistic({...spec, given: true})}
  let rest = ${spec.centered ? 'all.c / uniforms.values' : 'A()'};
  let product = inv * (all.b - rest * all.a);
  ${write([
    'm',
    'rest',
    'inv',
    `(${ifHas(spec, 'dvariance', () => '2 * A(dvariance[q]) / inv')} - inv * product) / uniforms.values`,
    spec.centered
      ? `(${ifHas(spec, 'dmean', () => 'A(dmean[q])')} - inv * all.a) / uniforms.values`
      : 'A()',
  ])}`;

const BODIES: Readonly<Record<Kind, (spec: Spec) => string>> = {
  // The numbers of values, means and sums of squared deviations, less one value of the
  // statistic, which comes last; and each lane adds up less one value of its own.
  moments: (spec) => {
    const side = sideWidth(spec);
    const one = (k: string): string =>
      `A(x[${place(spec, k)}]${spec.width > side ? '.x' : ''})`;
    const count = `A(f32((uniforms.length - first + step - 1) / step * ${
      spec.width / side
    }))`;
    const outputs = write(['all.a', 'all.b', 'all.c']);
    if (!spec.centered) {
      return `${summing(
        spec,
        '',
        'let d = T(x[e]); p += d * d;',
        `all = Acc(${count}, A(), all.b);`,
      )}
      ${outputs}`;
    }
    return `let origin = ${one('0')};
    ${summing(
      spec,
      `let own = ${one('first')} - origin;`,
      'let d = (T(x[e]) - T(origin)) - T(own); f += d; p += d * d;',
      `let n = ${count};
      let c = all.b - all.a * all.a / n;
      all = Acc(n, own + all.a / n, select(c, A(), c < A()));`,
    )}
    ${outputs}
    if (live && lane == 0 && chunk == 0) {
      result[3 * uniforms.chunks * uniforms.items + q] = origin;
    }`;
  },

  mean: (spec) =>
    spec.centered
      ? `${moments(spec)} ${write([`${ORIGIN} + all.b`])}`
      : `if (live && lane == 0) { result[q] = 0 * A(parts[0]); }`,

  variance: (spec) => `${moments(spec)} ${write(['all.c / uniforms.values'])}`,

  y: (spec) => {
    const {given, centered} = spec;
    const scale = ifHas(spec, 'gamma', () => parameter(spec, 'gamma'), 'T(1)');
    const shift = ifHas(spec, 'beta', () => `+ ${parameter(spec, 'beta')}`);
    const variance = given ? 'A(variance[s])' : 'all.c / uniforms.values';
    const mean = given ? 'A(mean[s])' : ORIGIN;
    const deviation = centered
      ? `(T(x[e]) - mean)${given ? '' : ' - offset'}`
      : 'T(x[e])';
    return `${given ? '' : moments(spec)} ${forEach(
      spec,
      `let inv = T(inverseSqrt(${variance} + A(uniforms.epsilon)));
      ${centered ? `let mean = T(${mean});` : ''}
      ${centered && !given ? 'let offset = T(all.b);' : ''}
      ${spec.along ? '' : `let scale = inv * ${scale};`}`,
      `(${deviation}) * ${spec.along ? `inv * ${scale}` : 'scale'} ${shift}`,
    )}`;
  },

  sums: (spec) => {
    const flow = spec.along
      ? ifHas(spec, 'gamma', () => `* ${parameter(spec, 'gamma')}`)
      : '';
    const sums = summing(
      spec,
      spec.centered ? 'let m = T(A(mean[s]));' : '',
      `let g = T(dy[e]) ${flow};
      let d = T(x[e]) ${spec.centered ? '- m' : ''};
      f += g; p += g * d; r += d;`,
    );
    return spec.whole
      ? `${sums} ${terms(spec)}`
      : `${sums} ${write(['all.a', 'all.b', 'all.c'])}`;
  },

  terms: (spec) => {
    const gamma = ifHas(
      spec,
      'gamma',
      () => 'gamma[u * uniforms.channel + c]',
      '1',
    );
    return `var all = Acc();
    let size = uniforms.statistics * uniforms.channel;
    if (live) {
      for (var j = lane; j < uniforms.length; j += ${spec.lanes}) {
        let c = j % uniforms.channel;
        let i = j / uniforms.channel * size + q * uniforms.channel + c;
        let g = f32(${gamma});
        all = join(all, Acc(g * sums[i], g * sums[uniforms.parts * size + i],
          sums[2 * uniforms.parts * size + i]));
      }
    }
    all = ${gathered(spec, 'all')};
    ${terms(spec)}`;
  },

  dx: (spec) => {
    const scale = ifHas(spec, 'gamma', () => parameter(spec, 'gamma'), 'T(1)');
    const weight = spec.along ? `(T(inv) * ${scale})` : 'weight';
    const rest = spec.given
      ? ''
      : `+ ((T(x[e]) ${spec.centered ? '- T(m)) - T(low)' : ')'}) * T(inv) * T(along) + T(offset)`;
    return forEach(
      spec,
      `${statistic(spec)}
      ${
        spec.given
          ? ''
          : `let along = A(terms[3 * uniforms.statistics + s]);
      let offset = A(terms[4 * uniforms.statistics + s]);`
      }
      ${spec.along ? '' : `let weight = T(inv) * ${scale};`}`,
      `T(dy[e]) * ${weight} ${rest}`,
    );
  },

  // The sums of dy and of dy · x̂ for each parameter, or one of the two.
  parameters: (spec) => {
    const {plane, own, width} = spec;
    const batch = `k * ${width / sideWidth(spec)} / uniforms.span`;
    const sums = summing(
      spec,
      '',
      `let g = T(dy[e]);
      f += g;
      ${
        plane === 0
          ? ''
          : `let z = ${batch} * uniforms.groups + ${own ? 'q' : 's'};
      ${statistic(spec, 'z')}
      p += g * (((T(x[e]) - T(m)) - T(low)) * T(inv));`
      }`,
    );
    const outputs = ['all.a', 'all.b'];
    return `${sums} ${write(outputs.filter((_, i) => i === (plane ?? i)))}`;
  },

  total: (spec) => `var all = Acc();
    if (live) {
      for (var j = lane; j < uniforms.length; j += ${spec.lanes}) {
        all.a += sums[(${spec.plane ?? 0} * uniforms.length + j) * uniforms.items + q];
      }
    }
    all = ${gathered(spec, 'all')};
    ${write(['all.a'])}`,

  // Of the sums that dx is made from.
  dgamma: (spec) => `var all = Acc();
    if (live) {
      for (var j = lane; j < uniforms.length; j += ${spec.lanes}) {
        let i = j * uniforms.items + q;
        let z = (j % uniforms.batch * uniforms.items + q) / uniforms.channel;
        let low = terms[uniforms.statistics + z];
        let inv = terms[2 * uniforms.statistics + z];
        all.a += inv * (sums[uniforms.length * uniforms.items + i] - low * sums[i]);
      }
    }
    all = ${gathered(spec, 'all')};
    ${write(['all.a'])}`,

  moved: (spec) => `
    let rate = ${ifHas(spec, 'rate', () => 'f32(rate[0])', 'uniforms.rate')};
    if (live) {
      let old = f32(old[q]);
      let value = f32(value[q]);
      let bits = bitcast<u32>(value) & ${NOT_FINITE};
      let others = bitcast<u32>(f32(other[q])) & ${NOT_FINITE};
      let usable = bits != ${NOT_FINITE} && others != ${NOT_FINITE};
      result[q] = select(old, old * (1 - rate) + value * rate, usable);
    }`,
};
