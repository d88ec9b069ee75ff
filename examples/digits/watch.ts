import type {Progress, Status} from './progress.js';
import type {History} from './train.js';

/** The training to watch. */
export interface Watched {
  readonly label: string;
  readonly epochs: number;
  /** The number of batches in an epoch. */
  readonly batches: number;
  /** If true, the progress is erased when it ends. */
  readonly passing: boolean;
}

/** Follows the training of a network and updates its progress. */
export class Watch {
  private readonly start = performance.now();
  private done = 0;
  private loss: number | undefined;
  private accuracy: number | undefined;

  constructor(
    private readonly progress: Progress,
    private readonly watched: Watched,
  ) {
    progress.start(this.status, watched.passing);
  }

  /** Called after each batch. */
  readonly onBatch = (loss: number): void => {
    this.done += 1;
    this.loss = loss;
    this.progress.batch(this.status);
  };

  /** Called after each epoch. */
  readonly onEpoch = ({loss, valAccuracy}: History): void => {
    this.loss = loss[loss.length - 1];
    this.accuracy = valAccuracy[valAccuracy.length - 1];
    this.progress.epoch(this.status);
  };

  /** Called after the training. */
  end(): void {
    this.progress.end(this.status);
  }

  private get status(): Status {
    const {label, epochs, batches} = this.watched;
    const {done, loss, accuracy} = this;
    const total = epochs * batches;
    const seconds = (performance.now() - this.start) / 1000;
    return {
      label,
      epoch: Math.max(1, Math.ceil(done / batches)),
      epochs,
      done,
      total,
      loss,
      accuracy,
      seconds,
      secondsLeft: (seconds / done) * (total - done),
    };
  }
}
