import type {Form} from '../../geometry.js';
import {entryAt, type Lanes, type Packed, type Walk, walkOf} from './layout.js';

/*
 * The parts that the programs are made of. Lengths are constants in them: tf.js compiles a
 * program for each shape anyway, and a compiler divides by constants fast.
 */

/**
 * The start of every program: a texture's texel by its place. Floats divide faster than
 * integers, and are off by one at most: no texture has more rows than a float tells apart.
 */
export const TEXEL = `
vec4 texel(sampler2D A,int t){int w=textureSize(A,0).x,r=int(float(t)/float(w)),c=t-r*w;
int d=c<0?-1:c<w?0:1;return texelFetch(A,ivec2(c-d*w,r+d),0);}
`;

/**
 * GLSL: functions that read a texture's value by its place, `valueX` for X, and that with
 * the next where the place is even, `pairX`.
 */
export function valueOf(
  name: string,
  {slices, rows, columns, high, wide}: Packed,
): string {
  const value = `float value${name}(int f){`;
  const pair = `vec2 pair${name}(int f){return `;
  if (rows * slices === 1) {
    return `${pair}texel(${name},f/2).xy;}
${value}return pair${name}(f)[f%2];}
`;
  }
  return `${value}int u=f%${rows * columns},r=u/${columns},c=u%${columns};
return texel(${name},(f/${rows * columns}*${high}+r/2)*${wide}+c/2)[r%2*2+c%2];}
${pair}vec2(value${name}(f),value${name}(f+1));}
`;
}

/** GLSL: the place of the first value of a texel, from its row and its column. */
export function placeOf({rows, columns, high}: Packed): string {
  return `(row/${high}*${rows}+row%${high}*2)*${columns}+col*2`;
}

/**
 * GLSL: a function that gives four numbers of entry s, from one that gives them for both
 * entries of a slot: that has an s behind its name.
 */
export function entryOf(name: string, {slot, place}: Walk): string {
  return `vec4 ${name}(int s){return transpose(${name}s(${slot}))[${place}];}\n`;
}

/** Which of the distinct entries of a texel each of its four values belongs to. */
const ENTRIES: Readonly<Record<Lanes, readonly number[]>> = {
  columns: [0, 1, 0, 1],
  rows: [0, 0, 1, 1],
  one: [0, 0, 0, 0],
  any: [0, 1, 2, 3],
};

/**
 * GLSL: four numbers for each of a texel's four values, by the entries that they belong to:
 * `Sx` holds the first number of each.
 *
 * @param call The function that gives an entry's: see {@link entryOf}.
 */
export function spreadAt(
  name: string,
  call: string,
  form: Form,
  packed: Packed,
): string {
  const {lanes, at} = walkOf(form, packed, 1);
  const {columns} = packed;
  if (lanes !== 'any') {
    const pair = [0, 1].map((i) => `${name}[${i}]`);
    return `mat2x4 ${name}=transpose(${call}s(${at}));${spread(name, '', lanes, pair)}`;
  }
  const entries = [0, 1, columns, columns + 1].map((offset) =>
    entryAt(form, `f+${offset}`),
  );
  return spread(name, call, lanes, entries);
}

/** GLSL: the same from the entries, which are distinct. */
export function spread(
  name: string,
  call: string,
  lanes: Lanes,
  entries: readonly string[],
): string {
  const calls = entries.map((s, i) => `vec4 ${name}${i}=${call}(${s});`);
  const four = ENTRIES[lanes].map((i) => name + String(i)).join(',');
  const numbers = ['x', 'y', 'z', 'w'].map(
    (n, i) => `${name}${n}=t${name}[${i}]`,
  );
  return `${calls.join('')}mat4 t${name}=transpose(mat4(${four}));vec4 ${numbers.join(',')};`;
}

/** Sums of more steps than this go in two levels. */
const BLOCK = 64;

/**
 * GLSL: the loop over a chunk, which adds `a` and `b` of each step to `A` and `B`. The
 * body sets them from the texel `t`; of values beside the edge, they are set to zero.
 */
export function loop(walk: Walk, body: string): string {
  const {count, length, base, lanes} = walk;
  const at = `o+${stepOf(walk, 'j')}`;
  return `
int lo=k*${length},hi=min(lo+${length},${count}),o=${base};
vec4 A=vec4(0.),B=A;
for(int j=lo;j<hi;){vec4 C=vec4(0.),D=C;
for(int e=min(j+${BLOCK},hi);j<e;j++){int t=${at};vec4 a,b;
${body}
${lanes === 'any' ? '' : edges(walk)}C+=a;D+=b;}
A+=C;B+=D;}
`;
}

/** GLSL: step j of a slot, from its first one. */
export function stepOf({steps: {outer, group, run}}: Walk, j: string): string {
  if (outer === 1) return j;
  return run === 1 ? `${j}*${group}` : `${j}/${run}*${group * run}+${j}%${run}`;
}

function edges({rows, columns}: Walk): string {
  const [high, wide] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
  const bottom = `if(j/${wide}%${high}==${high - 1}){a.zw=vec2(0.);b.zw=vec2(0.);}\n`;
  const right = `if(j%${wide}==${wide - 1}){a.yw=vec2(0.);b.yw=vec2(0.);}\n`;
  return (rows % 2 === 1 ? bottom : '') + (columns % 2 === 1 ? right : '');
}

/** GLSL: the sums of one or two entries from those of a texel's four values. */
export function fold(lanes: Lanes, vector: string): string {
  return {
    columns: `(${vector}.xy+${vector}.zw)`,
    rows: `(${vector}.xz+${vector}.yw)`,
    one: `vec2((${vector}.x+${vector}.y)+(${vector}.z+${vector}.w),0.)`,
    any: `vec2(${vector}.x,0.)`,
  }[lanes];
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
