import type {Tensor} from '@tensorflow/tfjs-core';
import type {Shape} from '@tensorflow/tfjs-layers';
import {resolveAxes} from '../ops/axes.js';
import {channelAxis, normalizeGroups} from '../ops/group_norm.js';
import {inputSpecOf, lengthsOf, NormLayer, onlyShape} from './norm_layer.js';

/** Options that a layer over groups of channels has in any case. */
interface GroupOptions {
  readonly axis: number;
  readonly epsilon: number;
}

/** A layer with statistics for each example and each group of channels. */
export abstract class GroupLayer<
  Options extends GroupOptions,
> extends NormLayer<Options> {
  /**
   * The number of groups for so many channels.
   *
   * @throws Error if there can be no such groups.
   */
  protected abstract groupsOf(channels: number): number;

  override build(inputShape: Shape | Shape[]): void {
    const shape = onlyShape(inputShape);
    const axis = this.axisFor(shape.length);
    const lengths = lengthsOf([axis], shape, this.who);
    for (const channels of lengths) this.groupsOf(channels);
    this.addParameters(lengths);
    this.inputSpec = [inputSpecOf(shape, [axis])];
    super.build(inputShape);
  }

  protected override compute(x: Tensor): Tensor {
    const axis = this.axisFor(x.rank);
    return normalizeGroups(x, {
      axis,
      groups: this.groupsOf(x.shape[axis] ?? 0),
      epsilon: this.options.epsilon,
      gamma: this.parameter('gamma')?.read(),
      beta: this.parameter('beta')?.read(),
    });
  }

  private axisFor(rank: number): number {
    const {axis} = this.options;
    return channelAxis(resolveAxes(axis, rank, this.who), axis, this.who);
  }
}
