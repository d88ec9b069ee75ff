import {at} from '../util/at.js';
/** The mean and the variance of each channel. */
export interface ChannelStatistics {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** Statistics that were found, with the number of values in each. */
export interface FoundChannels extends ChannelStatistics {
  readonly count: Float64Array;
}

/** The mean and variance of some values, with their number. */
export interface CountedStatistics {
  readonly mean: ArrayLike<number>;
  /** Biased. */
  readonly variance: ArrayLike<number>;
  /** The number of values in each channel. */
  readonly count: ArrayLike<number>;
}

/**
 * Statistics of values that arrive in parts.
 *
 * Parts are merged by the law of total variance in the form that never
 * subtracts large numbers: Chan, Golub and LeVeque, "Updating Formulae and a
 * Pairwise Algorithm for Computing Sample Variances", 1979.
 */
export class GatheredStatistics {
  private readonly counts: Float64Array;
  private readonly means: Float64Array;
  /** The sums of squared deviations from the mean. */
  private readonly squares: Float64Array;

  constructor(channels: number) {
    this.counts = new Float64Array(channels);
    this.means = new Float64Array(channels);
    this.squares = new Float64Array(channels);
  }

  /** Adds a part. A channel whose statistics are not finite is left out. */
  add({mean, variance, count}: CountedStatistics): void {
    this.counts.forEach((before, c) => {
      const [m, v, n] = [at(mean, c), at(variance, c), at(count, c)];
      if (!(n > 0) || !Number.isFinite(m) || !Number.isFinite(v)) return;
      const old = at(this.means, c);
      const total = before + n;
      const gap = m - old;
      this.counts[c] = total;
      this.means[c] = old + (gap * n) / total;
      this.squares[c] =
        at(this.squares, c) + v * n + (gap * gap * before * n) / total;
    });
  }

  /**
   * Returns the statistics of all parts. A channel without values keeps the
   * given mean, one with fewer than two the given variance.
   */
  result(otherwise: ChannelStatistics): FoundChannels {
    const mean = otherwise.mean.slice();
    const variance = otherwise.variance.slice();
    this.counts.forEach((count, c) => {
      if (count > 0) mean[c] = at(this.means, c);
      if (count > 1) variance[c] = at(this.squares, c) / count;
    });
    return {mean, variance, count: this.counts.slice()};
  }
}
