import type {Form} from '../../geometry.js';
import {
  entryAt,
  half,
  type Lanes,
  type Packed,
  textureOf,
  type Walk,
  walkOf,
} from './layout.js';

/*
 * The parts that the programs are made of. Lengths are constants in them: tf.js compiles a
 * program for each shape anyway, and a compiler divides by constants fast.
 */

/**
 * The largest number that floats divide: t + 0.5 is half a step at least from the next
 * quotient, and GLSL's division errs by 2.5 units in the last place.
 */
const DIVIDED_WELL = 2 ** 20;

/** GLSL: t / by for a t below `end`. Integers are slow to divide where a GPU is software. */
function quotient(t: string, by: number | string, end: number): string {
  if (end <= Number(by)) return '0';
  return end > DIVIDED_WELL
    ? `${t}/${by}`
    : `int((float(${t})+.5)/float(${by}))`;
}

/**
 * GLSL: functions that read a texture by a place: a texel, `texelX` for X, a value,
 * `valueX`, and that with the next where the place is even, `pairX`.
 *
 * @param width The texture's width in texels, where it is known.
 */
export function readersOf(
  name: string,
  packed: Packed,
  width: number | undefined,
): string {
  const row = quotient('t', width ?? 'w', packed.texels);
  return `vec4 texel${name}(int t){int w=${width ?? `textureSize(${name},0).x`},r=${row};return texelFetch(${name},ivec2(t-r*w,r),0);}
${valueOf(name, packed)}`;
}

function valueOf(
  name: string,
  {slices, rows, columns, high, wide}: Packed,
): string {
  const value = `float value${name}(int f){`;
  const pair = `vec2 pair${name}(int f){return `;
  if (rows * slices === 1) {
    return `${pair}texel${name}(f>>1).xy;}
${value}return pair${name}(f)[f&1];}
`;
  }
  // An odd number of rows has an empty one behind it.
  return `${value}int r=f/${columns},c=f-r*${columns};r+=r/${rows}*${2 * high - rows};
return texel${name}((r>>1)*${wide}+(c>>1))[(r&1)*2+(c&1)];}
${pair}vec2(value${name}(f),value${name}(f+1));}
`;
}

/** GLSL: the number `t` of the texel that is written, and its {@link rowAndColumn}. */
export function texelOf(packed: Packed): string {
  const [, width] = textureOf(packed);
  return `int t=int(gl_FragCoord.y)*${width}+int(gl_FragCoord.x);${rowAndColumn(packed)}`;
}

/** GLSL: the row and the column of texel t among all, and `f`, the place of its first value. */
export function rowAndColumn({
  rows,
  columns,
  high,
  wide,
  texels,
}: Packed): string {
  const row = quotient('t', wide, texels);
  return `int row=${row},col=t-row*${wide},f=(2*row-row/${high}*${2 * high - rows})*${columns}+2*col;`;
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

/** The distinct entries of a texel, in the order of its four values. */
const ENTRIES: Readonly<Record<Lanes, string>> = {
  columns: 'xyxy',
  rows: 'xxyy',
  one: 'xxxx',
  any: 'xyzw',
};

/**
 * GLSL: the numbers of {@link numbersOf} for each of a texel's four values: `Sx` holds the
 * first number of each.
 */
export function spreadAt(name: string, form: Form, packed: Packed): string {
  const {lanes, at} = walkOf(form, packed, 1);
  if (lanes !== 'any') {
    return `mat4x2 ${name}=${name}2(${at});${spreadOut(name, lanes)}`;
  }
  const {columns} = packed;
  const entries = [0, 1, columns, columns + 1].map((offset) =>
    entryAt(form, `f+${offset}`),
  );
  return spread(name, lanes, entries);
}

/** GLSL: the same for one, two or four entries. */
export function spread(
  name: string,
  lanes: Lanes,
  entries: readonly string[],
): string {
  const own = entries
    .map((s, i) => `vec4 a${name}${i}=${name}1(${s});`)
    .join('');
  const all = entries.map((_, i) => `a${name}${i}`);
  const rows = all.length === 1 ? [...all, ...all] : all;
  const declared = `mat4x${rows.length} ${name}=transpose(mat${rows.length}x4(${rows.join(',')}))`;
  return `${own}${declared};${spreadOut(name, lanes)}`;
}

function spreadOut(name: string, lanes: Lanes): string {
  const numbers = ['x', 'y', 'z', 'w'].map(
    (n, i) => `${name}${n}=${name}[${i}].${ENTRIES[lanes]}`,
  );
  return `vec4 ${numbers.join(',')};`;
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
  return `int lo=k*${length},hi=min(lo+${length},${count}),o=${base};
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
