import type {Activation, MovingAverage, Norm} from './norms.js';
import type {BackendName} from '../../tools/backend_names.js';

/** One network in metrics.json; lists have one number per epoch. */
export interface RunMetrics {
  readonly norm: Norm;
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly valLoss: readonly number[];
  readonly valAccuracy: readonly number[];
  /** With the statistics of the training set. Null without --recalibrate. */
  readonly valAccuracyRecalibrated: readonly number[] | null;
  /** The time of training alone. Null if no epoch was finished. */
  readonly secondsPerEpoch: number | null;
  /** The same with the layers of tf.js. Null if not measured. */
  readonly stockSecondsPerEpoch: number | null;
  /** The path of the model's file, relative to metrics.json. */
  readonly model: string;
  /**
   * True if the model loaded in a fresh process predicts the same, bit for bit.
   * Null if not tried.
   */
  readonly reloadedEqual: boolean | null;
}

/** The contents of metrics.json. Numbers that are not finite become null. */
export interface Metrics {
  readonly data: {
    readonly path: string;
    readonly training: number;
    readonly validation: number;
    /** The number of pixels of an image. */
    readonly pixels: number;
  };
  readonly backend: BackendName;
  readonly seed: number;
  readonly activation: Activation;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly movingAverage: MovingAverage;
  /** If true, Ctrl-C ended the program. */
  readonly stopped: boolean;
  readonly runs: readonly RunMetrics[];
}
