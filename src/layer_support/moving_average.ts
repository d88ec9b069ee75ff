import {
  add,
  type DataId,
  dispose,
  greater,
  keep,
  max,
  maximum,
  sub,
  type Tensor,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import {
  type FeatureNormalized,
  type FeatureNormOptions,
  normalizeFeatures,
} from '../ops/feature_norm.js';
import {indicator} from '../ops/indicator.js';
import {
  cumulativeRate,
  debiasedRate,
  keepWithoutValues,
  moveStatistics,
  type Statistics,
  unbiasedVariance,
} from '../ops/moving_statistics.js';

/** The kinds of average over the statistics of batches. */
export type MovingAverageKind = 'exponential' | 'debiased' | 'cumulative';

/** The weights an average is kept in. */
export interface MovingWeights {
  readonly mean: LayerVariable;
  readonly variance: LayerVariable;
  /** The number of steps of a cumulative average. */
  readonly steps?: LayerVariable | undefined;
}

/** The statistics of one step of training. */
export interface BatchStatistics extends Statistics {
  /** The number of values in a statistic; under a mask only the device knows it. */
  readonly count: number | Tensor;
}

/** A substitute for the average while a tool gathers statistics. */
export interface StandIn {
  /** The statistics to normalize with. Defaults to those of the batch. */
  readonly given?: Statistics | undefined;
  /** Is told the statistics of the batch. */
  readonly gather?: (batch: BatchStatistics) => void;
}

/** Statistics that a layer normalizes with, as the tools for models see them. */
export interface StatisticsStore {
  /** While it is there, it takes the place of the statistics. */
  standIn: StandIn | undefined;
  /** The statistics that prediction uses. */
  read(): Statistics;
  /**
   * Takes statistics that were found in data.
   *
   * @param count The number of values in each.
   */
  replace(statistics: Statistics, count: number): void;
}

/** Options of {@link MovingAverage}. */
export interface MovingAverageOptions {
  readonly kind: MovingAverageKind;
  /** The weight of the old value, from 0 to 1. */
  readonly momentum: number;
  /** If true, Bessel's correction is applied to the variance. */
  readonly unbiased: boolean;
}

/**
 * The moving mean and variance of a batch normalization, and how far they have
 * come from where they started.
 *
 * The number of steps is kept in memory only. Weights that somebody else has written,
 * by loading a model or by `setWeights`, are past their start: that is seen by
 * their data no longer being what was written here last.
 */
export class MovingAverage implements StatisticsStore {
  /** While it is there, the average is neither read nor moved. */
  standIn: StandIn | undefined;
  private steps = 0;
  /** The number of steps that were all masked, if a mask was ever used. */
  private skipped: Tensor | undefined;
  private written: readonly DataId[];

  constructor(
    private readonly weights: MovingWeights,
    private readonly options: MovingAverageOptions,
    /** If true, the weights hold more than their initial values already. */
    private pastStart = false,
  ) {
    this.written = this.dataIds();
  }

  /** The moving statistics, as prediction uses them. */
  read(): Statistics {
    return {
      mean: this.weights.mean.read(),
      variance: this.weights.variance.read(),
    };
  }

  /** Normalizes a batch with its own statistics. */
  normalize(x: Tensor, options: FeatureNormOptions): FeatureNormalized {
    return normalizeFeatures(x, options);
  }

  /** Takes a training step's statistics into the average. Runs inside a tidy. */
  move(batch: BatchStatistics): void {
    this.noticeOthers();
    this.steps += 1;
    const {count} = batch;
    const {unbiased} = this.options;
    const target = unbiased ? unbiasedVariance(batch, count) : batch;
    const taken = typeof count === 'number' ? 1 : anyOf(count);
    this.advance({...target, count}, batch, this.rate(taken));
    this.written = this.dataIds();
  }

  /** Starts again from the given statistics. */
  restart(statistics: Statistics): void {
    tidy(() => {
      this.write(statistics);
      const {steps} = this.weights;
      steps?.write(zerosLike(steps.read()));
    });
    this.dispose();
    this.steps = 0;
    this.pastStart = false;
    this.written = this.dataIds();
  }

  /** Takes statistics that were found otherwise; the average is past its start. */
  replace(statistics: Statistics): void {
    this.write(statistics);
    this.pastStart = true;
    this.written = this.dataIds();
  }

  /**
   * Moves the weights by a step.
   *
   * @param target The statistics of the step, unbiased if the options say so.
   * @param _ The same, biased.
   * @param rate The weight of the new value.
   */
  protected advance(
    target: BatchStatistics,
    _: BatchStatistics,
    rate: number | Tensor,
  ): void {
    this.write(advanced(this.read(), target, rate));
  }

  protected write({mean, variance}: Statistics): void {
    this.weights.mean.write(mean);
    this.weights.variance.write(variance);
  }

  /**
   * The weight that the initial value still has in an exponential average that
   * has begun to move: momentumᵗ after t steps.
   */
  get initialShare(): number {
    this.noticeOthers();
    const {kind, momentum} = this.options;
    const moving = kind === 'exponential' && !this.pastStart && this.steps > 0;
    return moving ? Math.pow(momentum, this.steps) : 0;
  }

  /** Frees what is kept beside the weights. */
  dispose(): void {
    dispose(this.skipped ?? []);
    this.skipped = undefined;
  }

  /** @param taken 1, or 0 on the device where the step was all masked. */
  private rate(taken: number | Tensor): number | Tensor {
    const {kind, momentum} = this.options;
    if (kind === 'cumulative') return this.addStep(taken);
    if (kind === 'exponential' || this.pastStart) return 1 - momentum;
    return debiasedRate(momentum, this.stepsTaken(taken));
  }

  private addStep(taken: number | Tensor): Tensor {
    const {steps} = this.weights;
    if (steps === undefined) {
      throw new Error('a cumulative average needs a weight for its steps');
    }
    const rate = cumulativeRate(steps.read());
    steps.write(add(steps.read(), taken));
    return rate;
  }

  /** The number of steps so far without those all masked. */
  private stepsTaken(taken: number | Tensor): number | Tensor {
    if (typeof taken === 'number' && this.skipped === undefined) {
      return this.steps;
    }
    const before = this.skipped;
    this.skipped = keep(add(before ?? 0, sub(1, taken)));
    dispose(before ?? []);
    return maximum(sub(this.steps, this.skipped), 1);
  }

  private noticeOthers(): void {
    const now = this.dataIds();
    if (now.some((id, i) => id !== this.written[i])) this.pastStart = true;
  }

  private dataIds(): DataId[] {
    const {mean, variance} = this.read();
    return [mean.dataId, variance.dataId];
  }
}

/** The moving statistics after a step, where they have values for one. */
export function advanced(
  moving: Statistics,
  batch: BatchStatistics,
  rate: number | Tensor,
): Statistics {
  const next = moveStatistics(moving, batch, rate);
  return keepWithoutValues(next, moving, batch.count);
}

function anyOf(count: Tensor): Tensor {
  return indicator(greater(max(count), 0));
}
