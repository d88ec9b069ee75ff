import type {TensorInfo} from '@tensorflow/tfjs-core';
import {
  type NormalizeAttributes,
  type Parameters,
  valuesPerParameter,
  valuesPerStatistic,
  type View,
} from '../../contract.js';
import {parametersAreStatistics} from '../../frame.js';
import {type Form, parametersForm, statisticsForm} from '../../geometry.js';
import {type Packed, packedOf, shapeOf, type Walk, walkOf} from './layout.js';
import * as programs from './programs.js';
import type {Textures} from './textures.js';

/**
 * The most chunks that a statistic's sums may come in where the next program adds them up
 * for every texel that it writes, which saves a launch.
 */
export const FEW_CHUNKS = 16;

/** The most values of a parameter that its gradient is computed from without sums. */
const FEW_VALUES = 16;

/**
 * Tells if the gradients of parameters need no sums. The launch that this saves merges
 * moments, so that a few long rows may be read in many chunks.
 */
export function hasFewValues(view: View): boolean {
  return valuesPerParameter(view) <= FEW_VALUES;
}

/** The place of the statistics, and the textures that a program reads them from. */
export interface StatisticsSource extends programs.Source {
  readonly textures: Readonly<Record<string, TensorInfo>>;
}

/** The parts that the kernels over one view of one x share. */
export class Task {
  readonly packed: Packed;
  readonly parameters: Form;
  private readonly view: View;

  constructor(
    readonly gl: Textures,
    readonly x: TensorInfo,
    readonly attributes: NormalizeAttributes,
  ) {
    this.view = attributes.view;
    this.packed = packedOf(x.shape);
    this.parameters = parametersForm(this.view);
  }

  /** The sums that a walk leaves. */
  partial(
    {chunks, slots}: Walk,
    text: string,
    textures: Readonly<Record<string, TensorInfo | undefined>>,
  ): TensorInfo {
    return this.gl.run(text, shapeOf(chunks * slots), textures);
  }

  given({
    mean,
    variance,
  }: {
    mean: TensorInfo;
    variance: TensorInfo;
  }): StatisticsSource {
    return this.source(undefined, {U: mean, V: variance});
  }

  /** The walk of the moments, and of what is merged of them. */
  momentsWalk(): Walk {
    const form = statisticsForm(this.view);
    const mergeable =
      parametersAreStatistics(this.view) || hasFewValues(this.view);
    return walkOf(form, this.packed, mergeable ? Infinity : FEW_CHUNKS);
  }

  /** Computes the moments of x. */
  moments(): TensorInfo {
    const walk = this.momentsWalk();
    const text = programs.moments(walk, this.attributes.subtractMean);
    const partial = this.partial(walk, text, {X: this.x});
    if (walk.chunks <= FEW_CHUNKS) return partial;
    const M = this.gl.temporary(partial);
    return this.partial({...walk, chunks: 1}, programs.merge(walk), {M});
  }

  /** The source of x's own statistics, from its moments. */
  own(moments: TensorInfo): StatisticsSource {
    const walk = this.momentsWalk();
    const merged = {...walk, chunks: 1, length: walk.count};
    const few = walk.chunks <= FEW_CHUNKS;
    return this.source(few ? walk : merged, {X: this.x, M: moments});
  }

  private source(
    moments: Walk | undefined,
    textures: Readonly<Record<string, TensorInfo>>,
  ): StatisticsSource {
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
    source: StatisticsSource,
    {gamma, beta}: Parameters<TensorInfo>,
  ): TensorInfo {
    const {packed, parameters, attributes} = this;
    return this.gl.run(
      programs.normalized(source, packed, parameters, attributes),
      this.x.shape,
      {
        X: this.x,
        ...source.textures,
        P: gamma,
        Q: beta,
      },
    );
  }
}
