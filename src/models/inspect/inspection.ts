import type {Axes} from '../../ops/axes.js';

/** The least and the greatest of some values; NaN if one of them is. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** How a batch normalization's moving statistics compare with some data's. */
export interface Comparison {
  /** The mean of each channel over the data. */
  readonly mean: Range;
  /** The variance of each channel over the data. */
  readonly variance: Range;
  /** The furthest that a moving mean is off, in standard deviations of the data. */
  readonly meanGap: number;
  /**
   * The greatest factor between a moving variance and the data's, whichever is
   * larger, both with epsilon; from 1.
   */
  readonly varianceFactor: number;
}

/** What {@link inspect} finds out about a normalization layer. */
export interface InspectionRow {
  /** Its name, after those of the models and wrappers around it. */
  readonly layer: string;
  /** The name of its class. */
  readonly kind: string;
  readonly axis?: Axes;
  /** The range of each weight, under its name: gamma, moving_mean and so on. */
  readonly weights: Readonly<Record<string, Range>>;
  /** What looks wrong, in words; empty where nothing does. */
  readonly problems: readonly string[];
  /** Of a batch normalization, where data was given. */
  readonly data?: Comparison;
}

/** The loss and the metrics that a model is compiled with, by their names. */
export type Scores = Readonly<Record<string, number>>;

/** How well a model predicts, by the statistics it predicts with. */
export interface Prediction {
  /** With the moving statistics, as `model.predict` does. */
  readonly moving: Scores;
  /** With those of the data, close to what training uses. */
  readonly data: Scores;
}

/** What {@link inspect} returns: a row for each layer, and what they add up to. */
export interface Inspection extends ReadonlyArray<InspectionRow> {
  /** Where data with labels was given, and the model is compiled. */
  readonly prediction?: Prediction;
  /** Why training and prediction differ, in words, where data shows that they do. */
  readonly explanation?: string;
}
