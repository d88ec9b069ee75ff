import {
  ADD,
  type Kind,
  MERGE,
  parameter,
  place,
  putTogether,
  shader,
  sideOf,
  type Spec,
  sumUp,
  write,
  writeEach,
} from './wgsl.js';

/*
 * The kernels in WGSL. A shader's code depends on its spec alone, which is its key too:
 * sizes and epsilon are uniforms.
 *
 * x − m − low is always the sum of a product with x − m and of a constant: compilers that
 * may reorder sums would make one rounded number of m and low.
 */

/** The code of a shader. */
export function codeOf(spec: Spec): string {
  const {kind} = spec;
  const merges = kind === 'moments' || kind === 'variance';
  return shader(spec, merges ? MERGE : ADD, BODIES[kind](spec));
}

const SUMS = ['all.a', 'all.b', 'all.c'];

/** Some code if an input is there. */
const having = (
  {has}: Spec,
  name: string,
  code: string,
  otherwise = '',
): string => (has.includes(name) ? code : otherwise);

const gammaOf = (spec: Spec): string =>
  having(spec, 'gamma', parameter(spec, 'gamma'), 'T(1)');

/** A number of part `j` of a statistic: see {@link BODIES} for what they are. */
const partAt = (plane: number, j = 'j'): string =>
  `A(parts[(${plane} * uniforms.parts + ${j}) * uniforms.statisticCount + s])`;

/** The value that was subtracted from those of a statistic. */
const ORIGIN = partAt(3, '0');

/**
 * Reads m, inv and shift of a statistic, with `x̂ = (x − m) · inv + shift`.
 *
 * @param z Its index.
 */
function read(spec: Spec, z: string, type = 'A'): string {
  if (!spec.given) {
    return ['m', 'inv', 'shift']
      .map((name, i) => readTerm(name, i, z, type))
      .join('');
  }
  return `let m = ${having(spec, 'mean', `${type}(mean[${z}])`, `${type}()`)};
let inv = inverseSqrt(${type}(variance[${z}]) + ${type}(uniforms.epsilon));
let shift = ${type}();`;
}

const readTerm = (name: string, plane: number, z = 's', type = 'A'): string =>
  `let ${name} = ${type}(terms[${plane} * uniforms.statisticCount + ${z}]);`;

/**
 * Writes the terms of each statistic from the sums of g, g · (x − m) and x − m: m, inv,
 * shift, slope and level, with `dx = g · inv + (x − m) · slope + level`.
 */
function writeTerms(spec: Spec): string {
  const {subtractMean} = spec;
  const dvariance = having(spec, 'dvariance', '2 * A(dvariance[q])');
  const dmean = having(spec, 'dmean', 'A(dmean[q])');
  return `${read({...spec, given: true}, 'q')}
let low = ${subtractMean ? 'all.c / uniforms.values' : 'A()'};
let product = inv * (all.b - low * all.a);
let slope = (${dvariance} - inv * (inv * product)) / uniforms.values;
let level = ${subtractMean ? `(${dmean} - inv * all.a) / uniforms.values - low * slope` : 'A()'};
${write('m', 'inv', '-low * inv', 'slope', 'level')}`;
}

const BODIES: Readonly<Record<Kind, (spec: Spec) => string>> = {
  // Parts of a statistic: the number of values, the sum of what they exceed the origin by,
  // and that of their squared deviations. The origin, one of the values, comes last. Each
  // lane subtracts a value of its own before it adds up.
  moments: (spec) => {
    const side = sideOf(spec);
    const one = (k: string): string =>
      `A(x[${place(spec, k)}]${spec.width > side ? '.x' : ''})`;
    const count = `A(f32((uniforms.length - first + step - 1) / step
* ${spec.width / side}))`;
    if (!spec.subtractMean) {
      return `${sumUp(
        spec,
        '',
        'let d = T(x[e]); p += d * d;',
        `all = Acc(${count}, A(), all.b);`,
      )}
${write(...SUMS)}`;
    }
    return `let origin = ${one('0')};
${sumUp(
  spec,
  `let own = ${one('first')} - origin;`,
  'let d = (T(x[e]) - T(origin)) - T(own); f += d; p += d * d;',
  `let n = ${count};
let c = all.b - all.a * all.a / n;
all = Acc(n, own + all.a / n, select(c, A(), c < A()));`,
)}
${write('all.a', 'all.a * all.b', 'all.c')}
if (live && lane == 0 && chunk == 0) {
result[3 * uniforms.chunks * uniforms.items + q] = origin;
}`;
  },

  mean: (spec) =>
    spec.subtractMean
      ? `${putTogether(spec, `all.a += ${partAt(1)};`)}
${write(`${ORIGIN} + all.a / uniforms.values`)}`
      : write('0 * A(parts[0])'),

  variance: (spec) =>
    `${putTogether(
      spec,
      `let n = ${partAt(0)};
all = join(all, Acc(n, ${partAt(1)} / n, ${partAt(2)}));`,
    )} ${write('all.c / uniforms.values')}`,

  y: (spec) => {
    const {given, subtractMean, along} = spec;
    const gamma = gammaOf(spec);
    const beta = having(spec, 'beta', parameter(spec, 'beta'), 'T()');
    const deviation = subtractMean ? '(T(x[e]) - T(mean))' : 'T(x[e])';
    const mean = given
      ? 'let mean = A(mean[s]); let low = A();'
      : `let mean = ${ORIGIN};
var low = A();
for (var j = 0; j < uniforms.parts; j++) { low += ${partAt(1)}; }
low = low / uniforms.values;`;
    return writeEach(
      spec,
      `let inv = inverseSqrt(A(variance[s]) + A(uniforms.epsilon));
${subtractMean ? mean : 'let low = A();'}
let weight = T(inv) * ${along ? 'T(1)' : gamma};
let shift = -T(low) * weight + ${along ? 'T()' : beta};`,
      along
        ? `(${deviation} * weight + shift) * ${gamma} + ${beta}`
        : `${deviation} * weight + shift`,
    );
  },

  sums: (spec) => {
    const {along, subtractMean, whole} = spec;
    return `${sumUp(
      spec,
      `let m = ${subtractMean ? 'T(A(mean[s]))' : 'T()'};`,
      `let g = T(dy[e]) ${along ? `* ${gammaOf(spec)}` : ''};
let d = T(x[e]) - m;
f += g; p += g * d; r += d;`,
    )} ${whole ? writeTerms(spec) : write(...SUMS)}`;
  },

  terms: (spec) => {
    const gamma = having(
      spec,
      'gamma',
      'f32(gamma[u * uniforms.channel + c])',
      '1',
    );
    const sum = (plane: number): string =>
      `sums[${plane} * uniforms.parts * size + i]`;
    return `let size = uniforms.statisticCount * uniforms.channel;
${putTogether(
  spec,
  `let c = j % uniforms.channel;
let i = j / uniforms.channel * size + q * uniforms.channel + c;
let g = A(${gamma});
all = join(all, Acc(g * ${sum(0)}, g * ${sum(1)}, ${sum(2)}));`,
)}
${writeTerms(spec)}`;
  },

  dx: (spec) => {
    const {given, along, subtractMean} = spec;
    const gamma = gammaOf(spec);
    const before = given
      ? `let inv = inverseSqrt(A(variance[s]) + A(uniforms.epsilon));`
      : ['m', 'inv', '', 'slope', 'level']
          .map((name, i) => name && readTerm(name, i))
          .join('');
    const rest = `+ (T(x[e]) ${subtractMean ? '- T(m)' : ''}) * T(slope) + T(level)`;
    return writeEach(
      spec,
      `${before} let weight = T(inv) * ${along ? 'T(1)' : gamma};`,
      `T(dy[e]) * weight ${along ? `* ${gamma}` : ''} ${given ? '' : rest}`,
    );
  },

  // The sums of dy and of dy · x̂ for each parameter, or one of the two.
  parameters: (spec) => {
    const {plane, own, width, perOuter} = spec;
    const b = `k * ${width / sideOf(spec)} / uniforms.span`;
    const z = perOuter ? 'k' : `${b} * uniforms.groups + ${own ? 'q' : 's'}`;
    const toGamma = `let z = ${z};
${read(spec, 'z', perOuter ? 'T' : 'A')}
p += g * ((T(x[e]) - T(m)) * T(inv) + T(shift));`;
    return `${sumUp(
      spec,
      '',
      `let g = T(dy[e]); f += g; ${plane === 0 ? '' : toGamma}`,
    )} ${write(...SUMS.slice(0, 2).filter((_, i) => i === (plane ?? i)))}`;
  },

  total: (spec) =>
    `${putTogether(
      spec,
      `all.a += sums[(${spec.plane ?? 0} * uniforms.length + j) * uniforms.items + q];`,
    )} ${write('all.a')}`,

  // From the sums that dx is made of.
  dgamma: (spec) =>
    `${putTogether(
      spec,
      `let z = (j % uniforms.batch * uniforms.items + q) / uniforms.channel;
let inv = terms[uniforms.statisticCount + z];
let shift = terms[2 * uniforms.statisticCount + z];
let i = j * uniforms.items + q;
all.a += inv * sums[uniforms.length * uniforms.items + i] + shift * sums[i];`,
    )} ${write('all.a')}`,

  // The bits tell if a value is finite: compilers may assume that all are.
  moved: (spec) => {
    const finite = (value: string): string =>
      `(bitcast<u32>(${value}) & 0x7f800000u) != 0x7f800000u`;
    return `let rate = ${having(spec, 'rate', 'f32(rate[0])', 'uniforms.rate')};
let before = f32(old[q]);
let after = f32(value[q]);
let usable = ${finite('after')} && ${finite('f32(other[q])')};
${write('select(before, before * (1 - rate) + after * rate, usable)')}`;
  },
};
