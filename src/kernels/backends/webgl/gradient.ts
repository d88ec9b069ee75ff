import type {TensorInfo} from '@tensorflow/tfjs-core';
import {
  type GradInputs,
  type Gradients,
  type NormalizeGradAttributes,
  parametersCount,
  required,
} from '../../contract.js';
import {parametersAreStatistics} from '../../frame.js';
import {type Form, sharedForm, statisticsForm} from '../../geometry.js';
import {packedOf, type Walk, walkOf} from './layout.js';
import * as programs from './programs.js';
import {FEW_CHUNKS, hasFewValues, type StatisticsSource, Task} from './task.js';
import type {Textures} from './textures.js';

/**
 * The fewest values of an entry for which sums serve both statistics and parameters. With
 * fewer, there would be too many sums.
 */
const SHARED_VALUES = 32;

/** Partial sums of dy and of dy times x normalized. */
interface Sums {
  readonly walk: Walk;
  readonly S: TensorInfo;
}

/** NormalizeGrad. */
export function normalizeGrad(
  gl: Textures,
  inputs: GradInputs<TensorInfo>,
  attributes: NormalizeGradAttributes,
): Gradients<TensorInfo> {
  const gradient = new Gradient(gl, inputs, attributes);
  return gradient.compute();
}

class Gradient {
  private readonly task: Task;
  private readonly statistics: StatisticsSource;
  /** dy, x and what the statistics are read from. */
  private readonly source: Readonly<Record<string, TensorInfo>>;
  /** The shape of the parameters, as far as it is known. */
  private readonly shape: number[];

  constructor(
    private readonly gl: Textures,
    private readonly inputs: GradInputs<TensorInfo>,
    private readonly attributes: NormalizeGradAttributes,
  ) {
    const {x, dy, kept, gamma} = inputs;
    this.task = new Task(gl, x, attributes);
    this.statistics = attributes.given
      ? this.task.given(inputs)
      : this.task.own(kept?.tensors[0] ?? gl.temporary(this.task.moments()));
    this.source = {
      G: {...dy, shape: [...x.shape]},
      X: x,
      ...this.statistics.textures,
    };
    this.shape = gamma?.shape ?? [parametersCount(attributes.view)];
  }

  compute(): Gradients<TensorInfo> {
    const {view, given, scale, center} = this.attributes;
    const {outer, inner, channel, perOuter} = view;
    const wanted = scale || center;
    if (parametersAreStatistics(view) && !given) return this.ofChannels();
    if (!perOuter && outer * inner >= SHARED_VALUES) {
      const isNeeded = wanted || !given;
      const sums = isNeeded
        ? this.sums(sharedForm(view), FEW_CHUNKS, channel)
        : undefined;
      return {
        dx: this.dx(...this.flowOf(sums)),
        ...this.parameters(sums),
      };
    }
    const few = hasFewValues(view);
    const dx = this.dx(...this.flowOfStatistics());
    if (!wanted) return {dx};
    if (few) {
      return {
        dx,
        dgamma: scale ? this.parameterOfFew('y') : undefined,
        dbeta: center ? this.parameterOfFew('x') : undefined,
      };
    }
    const sums = this.sums(this.task.parameters, Infinity, undefined);
    return {dx, ...this.parameters(sums)};
  }

  /** For statistics with one parameter each, whose gradients serve for dx too. */
  private ofChannels(): Gradients<TensorInfo> {
    const {view, scale, center} = this.attributes;
    const sums = this.sums(sharedForm(view), Infinity, 1);
    const D = this.parameter(sums, 'y');
    const E = this.parameter(sums, 'x');
    const dx = this.dx('vectors', {D, E});
    if (!scale) this.gl.temporary(D);
    if (!center) this.gl.temporary(E);
    return {
      dx,
      dgamma: scale ? D : undefined,
      dbeta: center ? E : undefined,
    };
  }

  private sums(
    form: Form,
    most: number,
    channel: number | undefined,
    gamma?: Form,
  ): Sums {
    const walk = walkOf(form, this.task.packed, most);
    const text = programs.sums(walk, this.statistics, channel, gamma);
    const P = gamma && this.inputs.gamma;
    const partial = this.task.partial(walk, text, {...this.source, P});
    return {walk, S: this.gl.temporary(partial)};
  }

  /** The gradient through the statistics, from sums for each channel. */
  private flowOf(
    sums: Sums | undefined,
  ): [programs.Flow, Record<string, TensorInfo>] {
    const {view, scale, given} = this.attributes;
    if (given || sums === undefined) return [undefined, {}];
    const {group, channel} = view;
    const form = statisticsForm(view);
    const walk = walkOf(form, this.task.packed, 1);
    const text = programs.statisticSums(sums.walk, walk, group, channel, scale);
    const S = this.task.partial(walk, text, {S: sums.S, P: this.inputs.gamma});
    return [walk, {S: this.gl.temporary(S)}];
  }

  /** The gradient through the statistics, from sums for each of them. */
  private flowOfStatistics(): [programs.Flow, Record<string, TensorInfo>] {
    const {view, scale, given} = this.attributes;
    if (given) return [undefined, {}];
    const gamma = scale ? this.task.parameters : undefined;
    const form = statisticsForm(view);
    const {walk, S} = this.sums(form, FEW_CHUNKS, 1, gamma);
    return [walk, {S}];
  }

  private parameters(
    sums: Sums | undefined,
  ): Pick<Gradients<TensorInfo>, 'dgamma' | 'dbeta'> {
    const {scale, center} = this.attributes;
    return {
      dgamma: scale && sums ? this.parameter(sums, 'y') : undefined,
      dbeta: center && sums ? this.parameter(sums, 'x') : undefined,
    };
  }

  private parameter({walk, S}: Sums, which: 'x' | 'y'): TensorInfo {
    const count = parametersCount(this.attributes.view);
    const output = packedOf(this.shape);
    const text = programs.parameterGradient(walk, which, count, output);
    return this.gl.run(text, this.shape, {S});
  }

  private parameterOfFew(which: 'x' | 'y'): TensorInfo {
    const text = programs.parameterGradientOfFew(
      this.statistics,
      this.task.packed,
      this.task.parameters,
      which,
      packedOf(this.shape),
    );
    return this.gl.run(text, this.shape, this.source);
  }

  private dx(
    flow: programs.Flow,
    textures: Readonly<Record<string, TensorInfo>>,
  ): TensorInfo {
    const {inputs, attributes, task} = this;
    const {x, gamma, dmean, dvariance} = inputs;
    const flows = !attributes.given && attributes.differentiableStatistics;
    const text = programs.inputGradient(
      this.statistics,
      task.packed,
      task.parameters,
      flow,
      {...attributes, differentiableStatistics: flows},
    );
    return this.gl.run(text, x.shape, {
      ...this.source,
      P: gamma,
      ...textures,
      DM: flows ? required(dmean) : undefined,
      DV: flows ? required(dvariance) : undefined,
    });
  }
}
