import type {Form} from '../../geometry.js';
import type {Lanes, Packed, Walk} from './layout.js';

/*
 * The parts that the programs are made of. Lengths are constants in them: tf.js compiles a
 * program for each shape anyway, and a compiler divides by constants fast.
 */

/** The start of every program: a texture's texel by its place. */
export const TEXEL = `
vec4 texel(sampler2D A,int t){int w=textureSize(A,0).x;return texelFetch(A,ivec2(t%w,t/w),0);}
`;

/** GLSL: a function that reads a texture's value by its place, `valueX` for X. */
export function valueOf(
  name: string,
  {slices, rows, columns, high, wide}: Packed,
): string {
  const head = `float value${name}(int f){`;
  if (rows * slices === 1) {
    return `${head}vec4 v=texel(${name},f/2);return f%2==0?v.x:v.y;}\n`;
  }
  return `${head}int u=f%${rows * columns},r=u/${columns},c=u%${columns};
vec4 v=texel(${name},(f/${rows * columns}*${high}+r/2)*${wide}+c/2);
vec2 w=r%2==0?v.xy:v.zw;return c%2==0?w.x:w.y;}
`;
}

/** GLSL: the place of the first value of texel t. */
export function placeOf(
  t: string,
  {rows, columns, high, wide}: Packed,
): string {
  return `(${t}/${high * wide}*${rows}+${t}%${high * wide}/${wide}*2)*${columns}+${t}%${wide}*2`;
}

/** GLSL: the entry that the value at f belongs to. */
export function entryAt({outer, group, run}: Form, f: string): string {
  const length = outer * group * run;
  return `((${f})/${length}*${group}+(${f})/${run}%${group})`;
}

/** Which of the distinct entries of a texel each of its four values belongs to. */
const ENTRIES: Readonly<Record<Lanes, readonly number[]>> = {
  columns: [0, 1, 0, 1],
  rows: [0, 0, 1, 1],
  one: [0, 0, 0, 0],
  any: [0, 1, 2, 3],
};

/**
 * GLSL: what a function gives for the entries of a texel, a vector for each of its
 * components: `Sx` holds the first of the four values' entries.
 *
 * @param entries The distinct entries, in GLSL.
 */
function spread(
  name: string,
  call: string,
  lanes: Lanes,
  entries: readonly string[],
): string {
  const calls = entries.map((s, i) => `vec4 ${name}${i}=${call}(${s});`);
  const vectors = ['x', 'y', 'z'].map((component) => {
    const values = ENTRIES[lanes].map((i) => `${name}${i}.${component}`);
    return `vec4 ${name}${component}=vec4(${values.join(',')});`;
  });
  return [...calls, ...vectors].join('\n');
}

/** As {@link spread}, for the texel whose first value is the one at f. */
export function spreadAt(
  name: string,
  call: string,
  form: Form,
  lanes: Lanes,
  {columns}: Packed,
): string {
  const offsets = {
    columns: [0, 1],
    rows: [0, columns],
    one: [0],
    any: [0, 1, columns, columns + 1],
  }[lanes];
  const entries = offsets.map((offset) => entryAt(form, `f+${offset}`));
  return spread(name, call, lanes, entries);
}

/**
 * As {@link spread}, for the texels of slot q of a walk.
 *
 * @param entry The entry that belongs to the walk's entry s, in GLSL.
 */
export function spreadSlot(
  name: string,
  call: string,
  {lanes, entry}: Walk,
  of: (s: string) => string,
): string {
  const known: Lanes = lanes === 'any' ? 'one' : lanes;
  const entries = known === 'one' ? [entry] : [entry, `${entry}+1`];
  return spread(
    name,
    call,
    known,
    entries.map((s) => of(`(${s})`)),
  );
}

/** Sums of more steps than this go in two levels. */
const BLOCK = 64;

/**
 * GLSL: the loop over a chunk, which adds `a` and `b` of each step to `A` and `B`. The
 * body sets them from the texel `t`; of values beside the edge, they are set to zero.
 */
export function loop(walk: Walk, body: string): string {
  const {steps, length, base, run, stride, lanes} = walk;
  const at = walk.form.outer === 1 ? 'o+j' : `o+j/${run}*${stride}+j%${run}`;
  return `
int lo=k*${length},hi=min(lo+${length},${steps}),o=${base};
vec4 A=vec4(0.),B=A;
for(int j=lo;j<hi;){vec4 C=vec4(0.),D=C;
for(int e=min(j+${BLOCK},hi);j<e;j++){int t=${at};vec4 a,b;
${body}
${lanes === 'any' ? '' : edges(walk)}C+=a;D+=b;}
A+=C;B+=D;}
`;
}

function edges({rows, columns}: Walk): string {
  const [high, wide] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
  const bottom = `if(j/${wide}%${high}==${high - 1}){a.zw=vec2(0.);b.zw=vec2(0.);}\n`;
  const right = `if(j%${wide}==${wide - 1}){a.yw=vec2(0.);b.yw=vec2(0.);}\n`;
  return (rows % 2 === 1 ? bottom : '') + (columns % 2 === 1 ? right : '');
}

/** GLSL: the sums of one or two entries from those of a texel's four values. */
export function fold(lanes: Lanes, vector: string): string {
  const [x, y, z, w] = ['x', 'y', 'z', 'w'].map((c) => `${vector}.${c}`);
  switch (lanes) {
    case 'columns':
      return `(${vector}.xy+${vector}.zw)`;
    case 'rows':
      return `vec2(${x}+${y},${z}+${w})`;
    case 'one':
      return `vec2((${x}+${y})+(${z}+${w}),0.)`;
    case 'any':
      return `vec2(${x},0.)`;
  }
}

/** GLSL: a function that tells how many values of an entry the first steps visit. */
export function counting({lanes, rows, columns}: Walk): string {
  if (lanes === 'any') return 'int seen(int j){return j;}\n';
  const per = lanes === 'one' ? 1 : 2;
  const [high, wide] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
  return `int seen(int j){int u=j%${high * wide},r=2*(u/${wide});
return (j/${high * wide}*${rows * columns}+r*${columns}+min(2,${rows}-r)*min(2*(u%${wide}),${columns}))/${per};}
`;
}

/** GLSL of a number, as a float. */
export function float(value: number): string {
  const digits = String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.`;
}
