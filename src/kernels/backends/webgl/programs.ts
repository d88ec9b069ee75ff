import {
  blank,
  counting,
  fold,
  loop,
  numbersOf,
  rowAndColumn,
  spread,
  spreadAt,
  stepOf,
  texelOf,
} from './glsl.js';
import type {Form} from '../../geometry.js';
import {
  entryAt,
  type Lanes,
  type Packed,
  packedOf,
  shapeOf,
  type Walk,
  walkOf,
} from './layout.js';
import type {NormalizeAttributes} from '../../contract.js';

/*
 * The programs' texts. Textures are named by what they hold: X and G are x and dy; M the
 * partial means and squares of x, less the first value of each statistic; U and V a mean
 * and a variance; P and Q gamma and beta; S sums of dy and of dy times x normalized.
 */

/** The source of the statistics. */
export interface Source {
  /** The walk whose partial means and squares M holds; undefined for U and V. */
  readonly moments: Walk | undefined;
  readonly form: Form;
  readonly count: number;
  readonly options: Pick<NormalizeAttributes, 'epsilon' | 'subtractMean'>;
}

/**
 * The values of a chunk whose mean is subtracted from all of them: of one alone, which may
 * be far off the mean, squares would be large and their sum would lose digits.
 */
const FIRST = 8;

/** The chunk and the slot of a walk that are summed up in the texel that is written. */
function chunkAndSlot({chunks, slots}: Walk): string {
  const shape = shapeOf(chunks * slots);
  return `${texelOf(packedOf(shape))}int k=t/${slots},q=t%${slots};`;
}

/** A step of a walk: a texel, or one value. */
function stepAt(name: string, lanes: Lanes, t: string): string {
  return lanes === 'any'
    ? `vec4(value${name}(${t}),0.,0.,0.)`
    : `texel${name}(${t})`;
}

/** The first values of a slot's entries in a texel. */
function pairOf(lanes: Lanes): string {
  return lanes === 'rows' ? 'xz' : 'xy';
}

/** Partial means and squares of x. */
export function moments(walk: Walk, subtractMean: boolean): string {
  const {lanes} = walk;
  const first = {columns: 'xyxy', rows: 'xxzz', one: 'xxxx', any: 'xyzw'}[
    lanes
  ];
  const {base, length, count} = walk;
  const at = (j: string): string => stepAt('X', lanes, `p+${stepOf(walk, j)}`);
  const shift = `int p=${base},i=k*${length},w=min(${FIRST},min(${length},${count}-i));
vec4 y=${stepAt('X', lanes, 'p')}.${first},c=${at('i')}.${first},z=vec4(0.);
for(int j=i;j<i+w;j++)z+=${at('j')}.${first}-c;
z=c+z/float(w);`;
  return `${counting(walk)}void main(){${chunkAndSlot(walk)}
${subtractMean ? shift : 'vec4 z=vec4(0.),y=z;'}
${loop(walk, `a=${stepAt('X', lanes, 't')}-z;b=a*a;`)}
vec2 s=${fold(lanes, 'A')},v=${fold(lanes, 'B')};
${
  subtractMean
    ? `float n=float(seen(hi)-seen(lo));vec2 m=s/n;v-=s*m;
setOutput(vec4((z-y).${pairOf(lanes)}+m,v.x<0.?0.:v.x,v.y<0.?0.:v.y));`
    : 'setOutput(vec4(0.,0.,v));'
}}`;
}

/** A function that merges the chunks of a slot, by Chan's formula. */
function merging(walk: Walk): string {
  const {chunks, slots, count, length} = walk;
  if (chunks === 1) return 'vec4 merged(int q){return texelM(q);}\n';
  return `${counting(walk)}vec4 merged(int q){vec4 s=texelM(q);int n=seen(${length});
for(int k=1;k<${chunks};k++){vec4 t=texelM(k*${slots}+q);
int e=seen(min((k+1)*${length},${count}));float w=float(e-n)/float(e);
vec2 d=t.xy-s.xy;s.xy+=d*w;s.zw+=t.zw+d*d*(w*float(n));n=e;}
return s;}
`;
}

/** The chunks of each slot, merged. */
export function merge(walk: Walk): string {
  return `${merging(walk)}void main(){${chunkAndSlot({...walk, chunks: 1})}setOutput(merged(q));}`;
}

/**
 * Functions that give a statistic: the origin, the mean less the origin, the inverse
 * deviation and the variance.
 *
 * @param packed The shape of x.
 */
function statistic(
  {moments, form, count, options}: Source,
  packed: Packed,
): string {
  const {epsilon, subtractMean} = options;
  const walk = moments ?? walkOf(form, packed, 1);
  const {lanes, base} = walk;
  const first = `${stepAt('X', lanes, base)}.${pairOf(lanes)}`;
  const read = moments
    ? `vec4 m=merged(q);vec2 v=m.zw/float(${count}),l=m.xy,o=${subtractMean ? first : ZERO};`
    : `vec2 v=${entriesOf('V', walk)},l=${ZERO},o=${subtractMean ? entriesOf('U', walk) : 'l'};`;
  const inverse = `inversesqrt(v+float(${epsilon}))`;
  return `${moments ? merging(walk) : ''}${numbersOf('S', walk, read, ['o', 'l', inverse, 'v'])}`;
}

const ZERO = 'vec2(0.)';

/** The values of entry s and of the next, which a slot may not have. */
function entriesOf(name: string, {isEven}: Walk): string {
  return isEven ? `pair${name}(s)` : `vec2(value${name}(s),value${name}(s+1))`;
}

/** The means or the variances. */
export function statisticVector(
  source: Source,
  packed: Packed,
  which: 'mean' | 'variance',
  output: Packed,
): string {
  return `${statistic(source, packed)}float entry(int s){vec4 n=S1(s);return ${which === 'mean' ? 'n.x+n.y' : 'n.w'};}${entries(output)}`;
}

/** The main function of a program that writes what `entry` gives for each place. */
function entries(packed: Packed): string {
  const {rows, columns} = packed;
  const below =
    rows === 1 ? '0.,0.' : `entry(f+${columns}),entry(f+${columns + 1})`;
  return elementwise(packed, `v=vec4(entry(f),entry(f+1),${below});`);
}

/**
 * Functions that give gamma and beta.
 *
 * @param form Theirs.
 */
function parameter(
  {scale, center}: Parameters,
  form: Form,
  packed: Packed,
): string {
  const walk = walkOf(form, packed, 1);
  const gamma = scale ? entriesOf('P', walk) : 'vec2(1.)';
  const beta = center ? entriesOf('Q', walk) : ZERO;
  return numbersOf('P', walk, '', [gamma, beta, ZERO, ZERO]);
}

type Parameters = Pick<NormalizeAttributes, 'scale' | 'center'>;

/** The main function of a program that writes a tensor, texel by texel. */
function elementwise(packed: Packed, body: string): string {
  const {high} = packed;
  return `void main(){${texelOf(packed)}vec4 v;
${body}${blank(packed, `row%${high}`, 'col', ['v'])}setOutput(v);}`;
}

/** y from x. */
export function normalized(
  source: Source,
  packed: Packed,
  form: Form,
  parameters: Parameters,
): string {
  const body = `${spreadAt('S', source.form, packed)}
${spreadAt('P', form, packed)}
v=((texelX(t)-Sx)-Sy)*Sz*Px+Py;`;
  return `${statistic(source, packed)}${parameter(parameters, form, packed)}${elementwise(packed, body)}`;
}

/**
 * Partial sums of dy and of dy times x normalized.
 *
 * @param channel How many entries of the walk share a statistic; undefined where it varies.
 * @param gamma The parameters' form, where dy is multiplied by gamma first.
 */
export function sums(
  walk: Walk,
  source: Source,
  channel: number | undefined,
  gamma: Form | undefined,
): string {
  const {lanes, packed, entry} = walk;
  const isAny = lanes === 'any';
  const spreadHere = (name: string, form: Form): string =>
    isAny
      ? spread(name, 'one', [entryAt(form, 't')])
      : spreadAt(name, form, packed);
  const body = `${isAny ? '' : rowAndColumn(packed)}
${channel === undefined ? spreadHere('S', source.form) : ''}
${gamma ? spreadHere('P', gamma) : ''}
a=${stepAt('G', lanes, 't')}${gamma ? '*Px' : ''};b=a*(((${stepAt('X', lanes, 't')}-Sx)-Sy)*Sz);`;
  return `${statistic(source, packed)}
${gamma ? parameter({scale: true, center: false}, gamma, packed) : ''}
void main(){${chunkAndSlot(walk)}
${
  channel === undefined
    ? ''
    : spread(
        'S',
        isAny ? 'one' : lanes,
        [entry, `${entry}+1`].map((s) => `(${s})/${channel}`),
      )
}
${loop(walk, body)}
setOutput(vec4(${fold(lanes, 'A')},${fold(lanes, 'B')}));}`;
}

/** Functions that add up the chunks of a slot, and of an entry. */
function adding({chunks, slots, slot, place}: Walk): string {
  return `vec4 addeds(int q){vec4 a=vec4(0.);for(int k=0;k<${chunks};k++)a+=texelS(k*${slots}+q);return a;}
vec2 added(int s){vec4 a=addeds(${slot});return ${place}==0?a.xz:a.yw;}
`;
}

/**
 * The gradient of gamma or beta: partial sums, added up.
 *
 * @param which y for gamma, x for beta.
 * @param length The number of parameters.
 */
export function parameterGradient(
  walk: Walk,
  which: 'x' | 'y',
  length: number,
  output: Packed,
): string {
  return `${adding(walk)}float entry(int p){float a=0.;
for(int b=0;b<${walk.form.batch};b++)a+=added(b*${length}+p).${which};return a;}${entries(output)}`;
}

/** The same from dy and x at once, for few values a parameter. */
export function parameterGradientOfFew(
  source: Source,
  packed: Packed,
  {outer, group, run}: Form,
  which: 'x' | 'y',
  output: Packed,
): string {
  const times =
    which === 'x'
      ? ''
      : `vec4 S=S1(${entryAt(source.form, 'f')});v*=((valueX(f)-S.x)-S.y)*S.z;`;
  return `${statistic(source, packed)}float entry(int p){float a=0.;for(int o=0;o<${outer};o++)for(int i=0;i<${run};i++){
int f=(o*${group}+p)*${run}+i;float v=valueG(f);${times}a+=v;}return a;}${entries(output)}`;
}

/**
 * The sums of each statistic, from those of its channels times gamma.
 *
 * @param of The walk by which the statistics' sums are read.
 */
export function statisticSums(
  walk: Walk,
  of: Walk,
  group: number,
  channel: number,
  scale: boolean,
): string {
  const gamma = scale ? `*valueP(s%${group}*${channel}+c)` : '';
  return `${adding(walk)}vec2 entry(int s){vec2 a=vec2(0.);
for(int c=0;c<${channel};c++)a+=added(s*${channel}+c)${gamma};return a;}
void main(){${chunkAndSlot(of)}int s=${of.entry};vec2 a=entry(s),b=entry(s+1);
setOutput(vec4(a.x,b.x,a.y,b.y));}`;
}

/**
 * The source of the sums over dy for dx: a walk; or the gradients of gamma and beta, in the
 * textures D and E; or none, where statistics are given.
 */
export type Flow = Walk | 'vectors' | undefined;

/** dx from dy and x. */
export function inputGradient(
  source: Source,
  packed: Packed,
  form: Form,
  flow: Flow,
  {
    scale,
    subtractMean,
    differentiableStatistics,
  }: Pick<
    NormalizeAttributes,
    'scale' | 'subtractMean' | 'differentiableStatistics'
  >,
): string {
  const walk = walkOf(source.form, packed, 1);
  const own =
    flow === 'vectors'
      ? `vec2 a=${entriesOf('E', walk)},b=${entriesOf('D', walk)};`
      : 'vec4 m=addeds(q);vec2 a=m.xy,b=m.zw;';
  const extra = (name: string): string =>
    differentiableStatistics ? entriesOf(name, walk) : ZERO;
  // The sums, and the gradients of the mean and the variance.
  const through = numbersOf('T', walk, own, [
    'a',
    'b',
    subtractMean ? extra('DM') : ZERO,
    extra('DV'),
  ]);
  const gamma = flow === 'vectors' ? '*Px' : '';
  const constant = subtractMean ? `Tz-Tx${gamma}*Sz+` : '';
  const body = `${spreadAt('S', source.form, packed)}
${spreadAt('P', form, packed)}
v=texelG(t)*Px*Sz;
${
  flow
    ? `${spreadAt('T', source.form, packed)}
vec4 r=(texelX(t)-Sx)-Sy;v+=(${constant}2.*Tw*r-Ty${gamma}*Sz*(r*Sz))*float(${1 / source.count});`
    : ''
}`;
  return `${statistic(source, packed)}${parameter({scale, center: false}, form, packed)}
${typeof flow === 'object' ? adding(flow) : ''}${flow ? through : ''}${elementwise(packed, body)}`;
}

/**
 * A moving statistic's next value, of which a new one that is not finite is no part.
 *
 * @param rate GLSL of the rate.
 */
export function moved(output: Packed, which: 'U' | 'V', rate: string): string {
  return `bool finite(float v){return (floatBitsToUint(v)&0x7f800000u)!=0x7f800000u;}
float entry(int i){float old=valueO(i),r=${rate};
return finite(valueU(i))&&finite(valueV(i))?old*(1.-r)+value${which}(i)*r:old;}${entries(output)}`;
}
