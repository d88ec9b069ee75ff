import {scalar, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import type {Statistics} from '../ops/moving_statistics.js';
import type {StandIn, StatisticsStore} from './moving_average.js';

/** The largest int32. */
const MOST = 2 ** 31 - 1;

/** The weights of statistics that data gives once. */
export interface AdaptedWeights {
  readonly mean: LayerVariable;
  readonly variance: LayerVariable;
  /** The number of values in each statistic, in int32. */
  readonly count: LayerVariable;
}

/** The method of a Normalization that gives its statistics to the tools for models. */
export const ADAPTED = Symbol('adapted');

/** Statistics that `adapt` or a model file gives. */
export class AdaptedStatistics implements StatisticsStore {
  /** While it is there, its statistics are used, and the batch's are told to it. */
  standIn: StandIn | undefined;
  private readonly initial: Tensor['dataId'];

  constructor(private readonly weights: AdaptedWeights) {
    this.initial = weights.mean.read().dataId;
  }

  /** If true, nothing has written the mean yet. */
  get isInitial(): boolean {
    return this.weights.mean.read().dataId === this.initial;
  }

  read(): Statistics {
    const {mean, variance} = this.weights;
    return {mean: mean.read(), variance: variance.read()};
  }

  replace({mean, variance}: Statistics, count: number): void {
    tidy(() => {
      this.weights.mean.write(mean);
      this.weights.variance.write(variance);
      this.weights.count.write(scalar(Math.min(count, MOST), 'int32'));
    });
  }
}
