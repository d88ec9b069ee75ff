import {
  counting,
  entryAt,
  float,
  fold,
  loop,
  placeOf,
  spreadAt,
  spreadSlot,
} from './glsl.js';
import type {Form} from '../../geometry.js';
import {lanesOf, type Packed, type Walk} from './layout.js';
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

/** Partial means and squares of x. */
export function moments(walk: Walk, subtractMean: boolean): string {
  const {lanes} = walk;
  const read = (t: string): string =>
    lanes === 'any' ? `vec4(valueX(${t}),0.,0.,0.)` : `texel(X,${t})`;
  const first = {columns: 'xyxy', rows: 'xxzz', one: 'xxxx', any: 'xyzw'}[
    lanes
  ];
  const pair = lanes === 'rows' ? 'xz' : 'xy';
  const {run, stride, base, length, steps} = walk;
  const step = `${run}*${stride}+`;
  const shift = `int p=${base},i=k*${length},w=min(${FIRST},min(${length},${steps}-i));
vec4 y=${read('p')}.${first},c=${read(`p+i/${step}i%${run}`)}.${first},z=vec4(0.);
for(int j=i;j<i+w;j++)z+=${read(`p+j/${step}j%${run}`)}.${first}-c;
z=c+z/float(w);`;
  return `${counting(walk)}
void main(){ivec3 rc=getOutputCoords();int k=rc.y/2,q=rc.z/2;
${subtractMean ? shift : 'vec4 z=vec4(0.),y=z;'}
${loop(walk, `a=${read('t')}-z;b=a*a;`)}
vec2 s=${fold(lanes, 'A')},v=${fold(lanes, 'B')};
${
  subtractMean
    ? `float n=float(seen(hi)-seen(lo));vec2 m=s/n;v-=s*m;
setOutput(vec4((z-y).${pair}+m,v.x<0.?0.:v.x,v.y<0.?0.:v.y));`
    : 'setOutput(vec4(0.,0.,v));'
}}`;
}

/** A function that merges the chunks of a slot, by Chan's formula. */
function merging(walk: Walk): string {
  const {chunks, slots, steps, length} = walk;
  if (chunks === 1) return 'vec4 merged(int q){return texel(M,q);}\n';
  return `${counting(walk)}
vec4 merged(int q){vec4 s=texel(M,q);int n=seen(${length});
for(int k=1;k<${chunks};k++){vec4 t=texel(M,k*${slots}+q);
int e=seen(min((k+1)*${length},${steps}));float w=float(e-n)/float(e);
vec2 d=t.xy-s.xy;s.xy+=d*w;s.zw+=t.zw+d*d*(w*float(n));n=e;}
return s;}
`;
}

/** The chunks of each slot, merged. */
export function merge(walk: Walk): string {
  return `${merging(walk)}
void main(){setOutput(merged(getOutputCoords().z/2));}`;
}

/**
 * A function that gives a statistic: the origin, the mean less the origin, the inverse
 * deviation and the variance.
 */
function statistic({moments: walk, form, count, options}: Source): string {
  const {epsilon, subtractMean} = options;
  const inverse = `inversesqrt(v+${float(epsilon)})`;
  if (walk === undefined) {
    return `vec4 statistic(int s){float v=valueV(s);
return vec4(${subtractMean ? 'valueU(s)' : '0.'},0.,${inverse},v);}
`;
  }
  const {outer, group, run} = form;
  const first = `valueX((s/${group}*${outer * group}+s%${group})*${run})`;
  return `${merging(walk)}
vec4 statistic(int s){vec4 m=merged(${walk.slot});
vec2 p=${walk.place}==0?m.xz:m.yw;float v=p.y/${float(count)};
return vec4(${subtractMean ? first : '0.'},p.x,${inverse},v);}
`;
}

/** The mean or the variance. */
export function statisticVector(
  source: Source,
  which: 'mean' | 'variance',
  output: Packed,
): string {
  return `${statistic(source)}
float entry(int s){vec4 v=statistic(s);return ${which === 'mean' ? 'v.x+v.y' : 'v.w'};}
${entries(output)}`;
}

/** The main function of a program that writes what `entry` gives for each place. */
function entries(packed: Packed): string {
  const {rows, columns} = packed;
  const below =
    rows === 1 ? '0.,0.' : `entry(f+${columns}),entry(f+${columns + 1})`;
  return elementwise(packed, `v=vec4(entry(f),entry(f+1),${below});`);
}

/** A function that gives gamma and beta. */
function parameter({scale, center}: Parameters): string {
  return `vec4 parameter(int p){return vec4(${scale ? 'valueP(p)' : '1.'},${
    center ? 'valueQ(p)' : '0.'
  },0.,0.);}
`;
}

type Parameters = Pick<NormalizeAttributes, 'scale' | 'center'>;

/** The main function of a program that writes a tensor, texel by texel. */
function elementwise(
  {rows, columns, high, wide}: Packed,
  body: string,
): string {
  const bottom = `if(rc.y==${rows - 1})v.zw=vec2(0.);\n`;
  const right = `if(rc.z==${columns - 1})v.yw=vec2(0.);\n`;
  return `void main(){ivec3 rc=getOutputCoords();
int t=(rc.x*${high}+rc.y/2)*${wide}+rc.z/2,f=(rc.x*${rows}+rc.y)*${columns}+rc.z;vec4 v;
${body}
${rows % 2 === 1 ? bottom : ''}${columns % 2 === 1 ? right : ''}setOutput(v);}`;
}

/** y from x. */
export function normalized(
  source: Source,
  packed: Packed,
  form: Form,
  parameters: Parameters,
): string {
  const body = `${spreadStatistic(source, packed)}
${spreadAt('P', 'parameter', form, lanesOf(form, packed), packed)}
v=((texel(X,t)-Sx)-Sy)*Sz*Px+Py;`;
  return `${statistic(source)}${parameter(parameters)}
${elementwise(packed, body)}`;
}

function spreadStatistic({form}: Source, packed: Packed): string {
  return spreadAt('S', 'statistic', form, lanesOf(form, packed), packed);
}

/**
 * Partial sums of dy and of dy times x normalized.
 *
 * @param of The statistic of an entry of the walk, in GLSL; undefined where it varies.
 * @param gamma The parameters' form, where dy is multiplied by gamma first.
 */
export function sums(
  walk: Walk,
  source: Source,
  of: ((s: string) => string) | undefined,
  gamma: Form | undefined,
): string {
  const {lanes, packed} = walk;
  const isAny = lanes === 'any';
  const read = (name: string): string =>
    isAny ? `vec4(value${name}(t),0.,0.,0.)` : `texel(${name},t)`;
  const spreadHere = (name: string, call: string, form: Form): string =>
    isAny
      ? `vec4 ${name}0=${call}(${entryAt(form, 't')});
vec4 ${name}x=${name}0.xxxx,${name}y=${name}0.yyyy,${name}z=${name}0.zzzz;`
      : spreadAt(name, call, form, lanesOf(form, packed), packed);
  const varies = !isAny && (of === undefined || gamma !== undefined);
  const body = `${varies ? `int f=${placeOf('t', packed)};` : ''}
${of === undefined ? spreadHere('S', 'statistic', source.form) : ''}
${gamma === undefined ? '' : spreadHere('P', 'parameter', gamma)}
a=${read('G')}${gamma === undefined ? '' : '*Px'};b=a*(((${read('X')}-Sx)-Sy)*Sz);`;
  const scale = gamma !== undefined;
  return `${statistic(source)}
${scale ? parameter({scale, center: false}) : ''}
void main(){ivec3 rc=getOutputCoords();int k=rc.y/2,q=rc.z/2;
${of === undefined ? '' : spreadSlot('S', 'statistic', walk, of)}
${loop(walk, body)}
setOutput(vec4(${fold(lanes, 'A')},${fold(lanes, 'B')}));}`;
}

/** A function that adds up the chunks of an entry. */
function adding({chunks, slots, slot, place}: Walk): string {
  return `
vec2 added(int s){int q=${slot};bool first=${place}==0;vec2 a=vec2(0.);
for(int k=0;k<${chunks};k++){vec4 v=texel(S,k*${slots}+q);a+=first?v.xz:v.yw;}
return a;}
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
  return `${adding(walk)}
float entry(int p){float a=0.;
for(int b=0;b<${walk.form.batch};b++)a+=added(b*${length}+p).${which};return a;}
${entries(output)}`;
}

/** The same from dy and x at once, for few values a parameter. */
export function parameterGradientOfFew(
  source: Source,
  {outer, group, run}: Form,
  which: 'x' | 'y',
  output: Packed,
): string {
  const times =
    which === 'x'
      ? ''
      : `vec4 S=statistic(${entryAt(source.form, 'f')});v*=((valueX(f)-S.x)-S.y)*S.z;`;
  return `${statistic(source)}
float entry(int p){float a=0.;for(int o=0;o<${outer};o++)for(int i=0;i<${run};i++){
int f=(o*${group}+p)*${run}+i;float v=valueG(f);${times}a+=v;}return a;}
${entries(output)}`;
}

/** The sums of each statistic, from those of its channels times gamma. */
export function statisticSums(
  walk: Walk,
  group: number,
  channel: number,
  scale: boolean,
): string {
  return `${adding(walk)}${parameter({scale, center: false})}
void main(){int s=getOutputCoords().z/2;vec2 a=vec2(0.);
for(int c=0;c<${channel};c++)a+=added(s*${channel}+c)*parameter(s%${group}*${channel}+c).x;
setOutput(vec4(a,0.,0.));}`;
}

/** The source of the sums over dy for dx: none of them are needed where statistics are given. */
export type Flow =
  | {readonly kind: 'none'}
  /** As the gradients of gamma and beta, in the textures D and E. */
  | {readonly kind: 'vectors'}
  /** A texel for each statistic. */
  | {readonly kind: 'texels'}
  | {readonly kind: 'partial'; readonly walk: Walk};

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
  const share = float(1 / source.count);
  const own = {
    none: 'vec2(0.)',
    vectors: 'vec2(valueE(s),valueD(s))*parameter(s).x',
    texels: 'texel(S,s).xy',
    partial: 'added(s)',
  }[flow.kind];
  const extra = differentiableStatistics
    ? `${subtractMean ? 'valueDM(s)' : '0.'},2.*valueDV(s)`
    : '0.,0.';
  // The gradient through the mean and the variance: a constant, and the factors of x
  // less its mean and of x normalized.
  const through = `vec4 through(int s){vec2 a=${own};vec4 m=statistic(s);vec2 e=vec2(${extra});
return vec4(${subtractMean ? 'e.x-a.x*m.z' : '0.'},e.y,-a.y*m.z,0.)*${share};}
`;
  const flows = flow.kind !== 'none';
  const lanes = lanesOf(source.form, packed);
  const body = `${spreadStatistic(source, packed)}
${spreadAt('P', 'parameter', form, lanesOf(form, packed), packed)}
v=texel(G,t)*Px*Sz;
${
  flows
    ? `${spreadAt('T', 'through', source.form, lanes, packed)}
vec4 r=(texel(X,t)-Sx)-Sy;v+=Tx+r*Ty+(r*Sz)*Tz;`
    : ''
}`;
  return `${statistic(source)}${parameter({scale, center: false})}
${flow.kind === 'partial' ? adding(flow.walk) : ''}${flows ? through : ''}
${elementwise(packed, body)}`;
}

/**
 * A moving statistic's next value, of which a new one that is not finite is no part.
 *
 * @param rate GLSL of the rate.
 */
export function moved(output: Packed, which: 'U' | 'V', rate: string): string {
  return `
bool finite(float v){return (floatBitsToUint(v)&0x7f800000u)!=0x7f800000u;}
float entry(int i){float old=valueO(i),r=${rate};
return finite(valueU(i))&&finite(valueV(i))?old*(1.-r)+value${which}(i)*r:old;}
${entries(output)}`;
}
