import {nextFrame} from '@tensorflow/tfjs-core';

/** How far something has come that goes through data. */
export interface DataProgress {
  /** Batches that are done, of all passes through the data. */
  readonly done: number;
  /** How many there will be; undefined where only the data's end tells. */
  readonly total: number | undefined;
}

/** Who follows something that goes through data, and may cancel it. */
export interface DataWatch {
  /** Is told after every batch. */
  readonly onProgress?: (progress: DataProgress) => void;
  /** Cancels. */
  readonly signal?: AbortSignal;
}

/** The longest that others have to wait. */
const BUSY_MS = 50;

/** Tells of each batch, lets others run, and ends when asked to. */
export class Progress {
  private done = 0;
  private since = performance.now();

  /** @param total How many batches there will be, if that is known. */
  constructor(
    private readonly watch: DataWatch,
    private readonly total: number | undefined,
  ) {}

  /** @throws The signal's reason if it says to end. */
  check(): void {
    this.watch.signal?.throwIfAborted();
  }

  /** A batch is done. */
  async advance(): Promise<void> {
    this.done += 1;
    this.watch.onProgress?.({done: this.done, total: this.total});
    if (performance.now() - this.since > BUSY_MS) {
      await nextFrame();
      this.since = performance.now();
    }
    this.check();
  }
}
