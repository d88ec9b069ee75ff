import {nextFrame} from '@tensorflow/tfjs-core';

/** Progress of a pass or passes through data. */
export interface DataProgress {
  /** The number of batches done, over all passes. */
  readonly done: number;
  /** The number of batches in all; undefined if only the data's end tells. */
  readonly total: number | undefined;
}

/** Callbacks for a function that goes through data. */
export interface DataWatch {
  /** Called after every batch. */
  readonly onProgress?: (progress: DataProgress) => void;
  /** Cancels the function. */
  readonly signal?: AbortSignal;
}

/** The longest time that other tasks have to wait. */
const BUSY_MS = 50;

/** Reports each batch, lets other tasks run, and stops when cancelled. */
export class Progress {
  private done = 0;
  private since = performance.now();

  /** @param total The number of batches, if known. */
  constructor(
    private readonly watch: DataWatch,
    private readonly total: number | undefined,
  ) {}

  /** @throws The signal's reason if it is aborted. */
  check(): void {
    this.watch.signal?.throwIfAborted();
  }

  /** Counts a batch as done. */
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
