import type {Form} from '../../geometry.js';
import {
  entryAt,
  half,
  type Lanes,
  type Packed,
  type Walk,
  walkOf,
} from './layout.js';

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
 * GLSL: functions that give four numbers of an entry: `S2` for the entries of slot q, `S1`
 * for entry s.
 *
 * @param numbers In GLSL, one number for each of a slot's two entries in a vector.
 */
export function numbersOf(
  name: string,
  {entry, slot, place}: Walk,
  before: string,
  numbers: readonly string[],
): string {
  return `mat4x2 ${name}2(int q){int s=${entry};${before}return mat4x2(${numbers.join(',')});}
vec4 ${name}1(int s){return transpose(${name}2(${slot}))[${place}];}
`;
}

/** Which of the distinct entries of a texel each of its four values belongs to. */
const ENTRIES: Readonly<Record<Lanes, readonly number[]>> = {
  columns: [0, 1, 0, 1],
  rows: [0, 0, 1, 1],
  one: [0, 0, 0, 0],
  any: [0, 1, 2, 3],
};

/**
 * GLSL: the numbers of {@link numbersOf} for each of a texel's four values: `Sx` holds the
 * first number of each.
 */
export function spreadAt(name: string, form: Form, packed: Packed): string {
  const {lanes, at} = walkOf(form, packed, 1);
  const {columns} = packed;
  if (lanes !== 'any') {
    const pair = [`${name}[0]`, `${name}[1]`];
    return `mat2x4 ${name}=transpose(${name}2(${at}));${spread(name, lanes, pair)}`;
  }
  const entries = [0, 1, columns, columns + 1].map(
    (offset) => `${name}1(${entryAt(form, `f+${offset}`)})`,
  );
  return spread(name, lanes, entries);
}

/** GLSL: the same from the numbers of distinct entries. */
export function spread(
  name: string,
  lanes: Lanes,
  entries: readonly string[],
): string {
  const own = entries.map((entry, i) => `vec4 a${name}${i}=${entry};`).join('');
  const four = ENTRIES[lanes].map((i) => `a${name}${i}`).join(',');
  const numbers = ['x', 'y', 'z', 'w'].map(
    (n, i) => `${name}${n}=a${name}[${i}]`,
  );
  return `${own}mat4 a${name}=transpose(mat4(${four}));vec4 ${numbers.join(',')};`;
}

/** Sums of more steps than this go in two levels. */
const BLOCK = 64;

/**
 * GLSL: the loop over a chunk, which adds `a` and `b` of each step to `A` and `B`. The
 * body sets them from the texel `t`; of values beside the edge, they are set to zero.
 */
export function loop(walk: Walk, body: string): string {
  const {count, length, base, lanes, rows, columns} = walk;
  const at = `o+${stepOf(walk, 'j')}`;
  const wide = half(columns);
  const row = `j/${wide}%${half(rows)}`;
  const edges = blank(walk, row, `j%${wide}`, ['a', 'b']);
  return `
int lo=k*${length},hi=min(lo+${length},${count}),o=${base};
vec4 A=vec4(0.),B=A;
for(int j=lo;j<hi;){vec4 C=vec4(0.),D=C;
for(int e=min(j+${BLOCK},hi);j<e;j++){int t=${at};vec4 a,b;
${body}
${lanes === 'any' ? '' : edges}C+=a;D+=b;}
A+=C;B+=D;}
`;
}

/** GLSL: step j of a slot, from its first one. */
export function stepOf({steps: {outer, group, run}}: Walk, j: string): string {
  if (outer === 1) return j;
  return run === 1 ? `${j}*${group}` : `${j}/${run}*${group * run}+${j}%${run}`;
}

/** GLSL: zeros for the values of vectors that lie beside the edge of rows and columns. */
export function blank(
  {rows, columns}: Pick<Walk, 'rows' | 'columns'>,
  row: string,
  column: string,
  vectors: readonly string[],
): string {
  const at = (place: string, length: number, lanes: string): string => {
    const assigned = vectors.map((vector) => `${vector}.${lanes}=`).join('');
    return length % 2 === 1
      ? `if(${place}==${(length - 1) / 2})${assigned}vec2(0.);\n`
      : '';
  };
  return at(row, rows, 'zw') + at(column, columns, 'yw');
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
  const [high, wide] = [half(rows), half(columns)];
  return `int seen(int j){int u=j%${high * wide},r=2*(u/${wide});
return (j/${high * wide}*${rows * columns}+r*${columns}+min(2,${rows}-r)*min(2*(u%${wide}),${columns}))/${per};}
`;
}
