import type {Axes} from '../../ops/axes.js';

/** The least and the greatest of some values; NaN if one of them is NaN. */
export interface Range {
  /** The least value. */
  readonly min: number;
  /** The greatest value. */
  readonly max: number;
}

/**
 * Comparison of a batch normalization's moving statistics with those of the
 * data.
 */
export interface Comparison {
  /** The mean of each channel over the data. */
  readonly mean: Range;
  /** The variance of each channel over the data. */
  readonly variance: Range;
  /** The largest error of a moving mean, in standard deviations of the data. */
  readonly meanGap: number;
  /**
   * The largest ratio between a moving variance and the data's, the larger over
   * the smaller, both with epsilon; at least 1.
   */
  readonly varianceFactor: number;
}

/** The findings of {@link inspect} about one normalization layer. */
export interface InspectionRow {
  /** Its name, after the names of the models and wrappers around it. */
  readonly layer: string;
  /** The name of its class. */
  readonly kind: string;
  /** Its feature axes, or those that it normalizes. */
  readonly axis?: Axes;
  /** The range of each weight, by name: gamma, moving_mean and so on. */
  readonly weights: Readonly<Record<string, Range>>;
  /** Problems, in words; empty if there are none. */
  readonly problems: readonly string[];
  /** Present for a batch normalization or a Normalization where data was given. */
  readonly data?: Comparison;
}

/** The loss and metrics of a compiled model, by name. */
export type Scores = Readonly<Record<string, number>>;

/** A model's scores, by the statistics it predicts with. */
export interface Prediction {
  /** With the moving statistics, as `model.predict` does. */
  readonly moving: Scores;
  /** With those of the data, close to what training uses. */
  readonly data: Scores;
}

/** The result of {@link inspect}: a row for each layer, with a summary. */
export interface Inspection extends ReadonlyArray<InspectionRow> {
  /** Present where data with labels was given and the model is compiled. */
  readonly prediction?: Prediction;
  /**
   * Explains why training and prediction differ, where data shows that they do.
   */
  readonly explanation?: string;
}
