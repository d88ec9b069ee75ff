import type {Activation, MovingAverage, Norm} from './norms.js';
import type {BackendName} from './options.js';

/** What metrics.json holds of one network; lists have a number for each epoch. */
export interface RunMetrics {
  readonly norm: Norm;
  readonly loss: readonly number[];
  readonly accuracy: readonly number[];
  readonly valLoss: readonly number[];
  readonly valAccuracy: readonly number[];
  /** With the statistics of the training set. Null where that was not asked. */
  readonly valAccuracyRecalibrated: readonly number[] | null;
  /** Of training alone. Null where no epoch was finished. */
  readonly secondsPerEpoch: number | null;
  /** The same with the layers of tf.js. Null where it was not measured. */
  readonly stockSecondsPerEpoch: number | null;
  /** The model's file, as seen from metrics.json. */
  readonly model: string;
  /**
   * Whether the model predicts the same, bit for bit, in a process that has
   * loaded it. Null where that was not tried.
   */
  readonly reloadedEqual: boolean | null;
}

/** What metrics.json holds. A number that is not finite is null in it. */
export interface Metrics {
  readonly data: {
    readonly path: string;
    readonly training: number;
    readonly validation: number;
    /** How many an image has. */
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
  /** Whether Ctrl-C ended it. */
  readonly stopped: boolean;
  readonly runs: readonly RunMetrics[];
}
