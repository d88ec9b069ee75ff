import {env, type TensorInfo} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type GradInputs,
  type Gradients,
  type MovingInputs,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type Normalized,
  type Parameters,
  parametersCount,
  required,
  statisticsCount,
  valuesPerStatistic,
  type View,
} from '../../contract.js';
import {parametersAreStatistics} from '../../frame.js';
import {webglRunnerOf} from '../../tfjs_private.js';
import {
  type Form,
  type Packed,
  packedOf,
  parametersForm,
  sharedForm,
  statisticsForm,
  type Walk,
  walkOf,
} from './layout.js';
import * as programs from './programs.js';
import {Textures} from './textures.js';

/** tfjs's WebGL backend. */
export const webgl: Backend = {
  name: 'webgl',
  make: (instance) => webglKernels(instance),
  hostFlag: 'WEBGL_CPU_FORWARD',
};

/**
 * The most chunks that a statistic's sums may come in where the next program adds them up
 * for every texel that it writes, which saves a launch.
 */
const FEW_CHUNKS = 16;

/**
 * The fewest values of an entry that both statistics and parameters are computed from, of
 * which sums are kept. With fewer, there would be too many sums.
 */
const SHARED_VALUES = 32;

/**
 * Kernels for tfjs's WebGL backend, as programs for WebGL 2 over packed textures. There
 * are none for WebGL 1, whose shaders can neither read a texel by its place nor loop as
 * far as data say, and none where textures hold half floats.
 *
 * @throws Error if programs cannot be run.
 */
export function webglKernels(backend: unknown): Fused<TensorInfo> {
  const runner = webglRunnerOf(backend);
  const fits =
    env().getNumber('WEBGL_VERSION') === 2 &&
    env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  if (!fits) return {};
  const compute = <Result>(kernel: (gl: Textures) => Result): Result => {
    const textures = new Textures(runner);
    try {
      return kernel(textures);
    } finally {
      textures.dispose();
    }
  };
  return {
    normalize: (x, parameters, attributes) =>
      compute((gl) => normalize(gl, x, parameters, attributes)),

    applyStatistics: (x, mean, variance, parameters, attributes) =>
      compute((gl) => {
        const task = new Task(gl, x, attributes);
        const source = task.given({mean, variance});
        return task.write(source, parameters);
      }),

    normalizeGrad: (inputs, attributes) =>
      compute((gl) => normalizeGrad(gl, inputs, attributes)),

    movingStatistics: (inputs) => compute((gl) => moveStatistics(gl, inputs)),
  };
}

/** Where the statistics are, and the textures that a program reads them from. */
interface Statistics extends programs.Source {
  readonly textures: Readonly<Record<string, TensorInfo>>;
}

/** What the kernels over one view of one x share. */
class Task {
  readonly packed: Packed;
  readonly parameters: Form;
  private readonly view: View;

  constructor(
    readonly gl: Textures,
    private readonly input: TensorInfo,
    readonly attributes: NormalizeAttributes,
  ) {
    this.view = attributes.view;
    this.packed = packedOf(input.shape);
    this.parameters = parametersForm(this.view);
  }

  get x(): TensorInfo {
    return this.whole(this.input);
  }

  /** A tensor of x's size in x's own shape, in three axes. */
  whole(info: TensorInfo): TensorInfo {
    const {slices, rows, columns} = this.packed;
    return {...info, shape: [slices, rows, columns]};
  }

  /** A program over tensors of x's size, which writes one. */
  like(
    text: string,
    textures: Readonly<Record<string, TensorInfo | undefined>>,
  ): TensorInfo {
    const output = this.gl.run(text, this.x.shape, textures);
    return {...output, shape: [...this.input.shape]};
  }

  /** The sums that a walk leaves. */
  partial(
    {chunks, slots}: Walk,
    text: string,
    textures: Readonly<Record<string, TensorInfo | undefined>>,
  ): TensorInfo {
    return this.gl.run(text, [2 * chunks, 2 * slots], textures);
  }

  given({
    mean,
    variance,
  }: {
    mean: TensorInfo;
    variance: TensorInfo;
  }): Statistics {
    const U = vectorOf(mean);
    return this.source(undefined, {U, V: vectorOf(variance)});
  }

  /** The walk of the moments, and of what is merged of them. */
  momentsWalk(): Walk {
    const form = statisticsForm(this.view);
    const isShared = parametersAreStatistics(this.view);
    return walkOf(form, this.packed, isShared ? Infinity : FEW_CHUNKS);
  }

  /** Computes the moments of x. */
  moments(): TensorInfo {
    const walk = this.momentsWalk();
    const text = programs.moments(walk, this.attributes.centered);
    const partial = this.partial(walk, text, {X: this.x});
    if (walk.chunks <= FEW_CHUNKS) return partial;
    this.gl.temporary(partial);
    return this.gl.run(programs.merge(walk), [2, 2 * walk.slots], {M: partial});
  }

  /** The statistics that moments say. */
  own(moments: TensorInfo): Statistics {
    const walk = this.momentsWalk();
    const merged = {...walk, chunks: 1, length: walk.steps};
    const few = walk.chunks <= FEW_CHUNKS;
    return this.source(few ? walk : merged, {X: this.x, M: moments});
  }

  private source(
    moments: Walk | undefined,
    textures: Readonly<Record<string, TensorInfo>>,
  ): Statistics {
    return {
      moments,
      textures,
      form: statisticsForm(this.view),
      count: valuesPerStatistic(this.view),
      options: this.attributes,
    };
  }

  /** y */
  write(
    statistics: Statistics,
    {gamma, beta}: Parameters<TensorInfo>,
  ): TensorInfo {
    const {packed, parameters, attributes} = this;
    return this.like(
      programs.normalized(statistics, packed, parameters, attributes),
      {
        X: this.x,
        ...statistics.textures,
        P: gamma && vectorOf(gamma),
        Q: beta && vectorOf(beta),
      },
    );
  }
}

function normalize(
  gl: Textures,
  x: TensorInfo,
  parameters: Parameters<TensorInfo>,
  attributes: NormalizeAttributes,
): Normalized<TensorInfo> {
  const task = new Task(gl, x, attributes);
  const moments = task.moments();
  const statistics = task.own(moments);
  const count = statisticsCount(attributes.view);
  const vector = (which: 'mean' | 'variance'): TensorInfo =>
    gl.run(
      programs.statisticVector(statistics, task.packed, which, count),
      [count],
      statistics.textures,
    );
  const mean = vector('mean');
  const variance = vector('variance');
  const y = task.write(statistics, parameters);
  if (attributes.recorded === true) {
    return {y, mean, variance, kept: {tensors: [moments]}};
  }
  gl.temporary(moments);
  return {y, mean, variance};
}

function normalizeGrad(
  gl: Textures,
  inputs: GradInputs<TensorInfo>,
  attributes: NormalizeGradAttributes,
): Gradients<TensorInfo> {
  const {view, given, scale, center} = attributes;
  const task = new Task(gl, inputs.x, attributes);
  let statistics: Statistics;
  if (given) statistics = task.given(inputs);
  else {
    const kept = inputs.kept?.tensors[0];
    statistics = task.own(kept ?? gl.temporary(task.moments()));
  }
  const G = task.whole(inputs.dy);
  const P = inputs.gamma && vectorOf(inputs.gamma);
  const source = {X: task.x, ...statistics.textures};
  const count = parametersCount(view);

  const sumsOf = (
    form: Form,
    most: number,
    of: ((s: string) => string) | undefined,
    gamma?: Form,
  ): {walk: Walk; S: TensorInfo} => {
    const walk = walkOf(form, task.packed, most);
    const text = programs.sums(walk, statistics, of, gamma);
    const textures = {G, ...source, ...(gamma && {P})};
    return {walk, S: gl.temporary(task.partial(walk, text, textures))};
  };
  const gradient = (
    {walk, S}: {walk: Walk; S: TensorInfo},
    which: 'x' | 'y',
  ): TensorInfo =>
    gl.run(programs.parameterGradient(walk, which, count), [count], {S});

  // Sums for both the statistics and the parameters, where there are few enough of them.
  const isShared =
    view.outer * view.inner >= SHARED_VALUES || parametersAreStatistics(view);
  const asStatistics = parametersAreStatistics(view);
  const needsFlow = !given;
  const wants = scale || center;
  let flow: programs.Flow = {kind: 'none'};
  let flowTextures: Record<string, TensorInfo | undefined> = {};
  let forParameters: {walk: Walk; S: TensorInfo} | undefined;
  let dgamma: TensorInfo | undefined;
  let dbeta: TensorInfo | undefined;
  if (isShared && (needsFlow || wants)) {
    const most = asStatistics ? Infinity : FEW_CHUNKS;
    forParameters = sumsOf(
      sharedForm(view),
      most,
      (p) => `${p}/${view.channel}`,
    );
  } else if (needsFlow) {
    const gamma = scale ? task.parameters : undefined;
    const sums = sumsOf(statisticsForm(view), FEW_CHUNKS, (s) => s, gamma);
    flow = {kind: 'partial', walk: sums.walk};
    flowTextures = {S: sums.S};
  }
  if (!isShared && wants) {
    forParameters = sumsOf(task.parameters, Infinity, undefined);
  }
  if (forParameters !== undefined) {
    const both = needsFlow && isShared && asStatistics;
    if (scale || both) dgamma = gradient(forParameters, 'y');
    if (center || both) dbeta = gradient(forParameters, 'x');
    if (both) {
      flow = {kind: 'vectors'};
      flowTextures = {D: dgamma, E: dbeta};
      if (!scale && dgamma) dgamma = void gl.temporary(dgamma);
      if (!center && dbeta) dbeta = void gl.temporary(dbeta);
    } else if (needsFlow && isShared) {
      const {walk, S} = forParameters;
      const text = programs.statisticSums(
        walk,
        view.group,
        view.channel,
        scale,
      );
      const shape = [2, 2 * statisticsCount(view)];
      flow = {kind: 'texels'};
      flowTextures = {S: gl.temporary(gl.run(text, shape, {S, P}))};
    }
  }
  const flows = !given && attributes.statistics;
  const text = programs.inputGradient(
    statistics,
    task.packed,
    task.parameters,
    flow,
    {...attributes, statistics: flows},
  );
  const dx = task.like(text, {
    G,
    ...source,
    P,
    ...flowTextures,
    DM: flows ? vectorOf(required(inputs.dmean)) : undefined,
    DV: flows ? vectorOf(required(inputs.dvariance)) : undefined,
  });
  return {dx, dgamma, dbeta};
}

function moveStatistics(
  gl: Textures,
  {movingMean, movingVariance, mean, variance, rate}: MovingInputs<TensorInfo>,
): [TensorInfo, TensorInfo] {
  const [U, V] = [vectorOf(mean), vectorOf(variance)];
  const move = (old: TensorInfo, W: 'U' | 'V'): TensorInfo => {
    const O = vectorOf(old);
    // A rate that is in main memory is not worth a texture.
    const known = gl.valueInMemory(rate);
    const text = programs.moved(
      O.shape[0] ?? 1,
      W,
      known === undefined ? 'item(R,0)' : 'rate',
    );
    const output = gl.run(
      text,
      O.shape,
      {O, U, V, R: known === undefined ? vectorOf(rate) : undefined},
      known === undefined ? {} : {rate: known},
    );
    return {...output, shape: [...old.shape]};
  };
  return [move(movingMean, 'U'), move(movingVariance, 'V')];
}

/** A tensor as a vector. */
function vectorOf(info: TensorInfo): TensorInfo {
  return {...info, shape: [info.shape.reduce((size, n) => size * n, 1)]};
}
