import {SingleBar} from 'cli-progress';
import {duration, percent} from '../../tools/format.js';

/** Progress in training one network. */
export interface Status {
  readonly label: string;
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The number of batches done, over all epochs. */
  readonly done: number;
  readonly total: number;
  /** The loss of the last batch or, at the end of an epoch, of the epoch. */
  readonly loss: number | undefined;
  /** Validation accuracy after the last whole epoch. */
  readonly accuracy: number | undefined;
  readonly secondsLeft: number;
  readonly seconds: number;
}

/** Shows the training of one network after another. */
export interface Progress {
  /** @param passing If true, the progress is erased when it ends. */
  start(status: Status, passing: boolean): void;
  batch(status: Status): void;
  epoch(status: Status): void;
  end(status: Status): void;
  /** Cleans up before the program ends. */
  close(): void;
}

/** Creates a bar in a terminal, lines in a file or a pipe, or nothing. */
export function createProgress(quiet: boolean): Progress {
  if (quiet) return SILENT;
  return process.stdout.isTTY ? new BarProgress() : new LineProgress();
}

const SILENT: Progress = {
  start: () => undefined,
  batch: () => undefined,
  epoch: () => undefined,
  end: () => undefined,
  close: () => undefined,
};

class BarProgress implements Progress {
  private bar: SingleBar | undefined;

  start(status: Status, passing: boolean): void {
    this.bar = new SingleBar({
      format: '{label} {bar}  {state}  {time}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 14,
      fps: 10,
      stream: process.stdout,
      clearOnComplete: passing,
    });
    this.bar.start(status.total, status.done, this.payload(status));
  }

  batch(status: Status): void {
    this.bar?.update(status.done, this.payload(status));
  }

  epoch(status: Status): void {
    this.batch(status);
  }

  end(status: Status): void {
    const time = `in ${duration(status.seconds)}`;
    this.bar?.update(status.done, {...this.payload(status), time});
    this.bar?.stop();
  }

  close(): void {
    // The terminal does not wrap lines while the bar is shown.
    this.bar?.stop();
  }

  private payload(status: Status): Record<string, string> {
    return {
      label: status.label.padEnd(9),
      state: describe(status),
      time: timeLeft(status),
    };
  }
}

const LINE_EVERY_EPOCHS = 10;
const LINE_EVERY_SECONDS = 10;

/** Prints a line for the first and the last epoch, and some between. */
class LineProgress implements Progress {
  private passing = false;
  private lastSeconds = 0;

  start(_: Status, passing: boolean): void {
    this.passing = passing;
    this.lastSeconds = 0;
  }

  batch(): void {
    // Lines for epochs are enough.
  }

  epoch(status: Status): void {
    const {epoch, epochs, seconds} = status;
    const due =
      epoch === 1 ||
      epoch === epochs ||
      epoch % LINE_EVERY_EPOCHS === 0 ||
      seconds - this.lastSeconds >= LINE_EVERY_SECONDS;
    if (!due || this.passing) return;
    this.lastSeconds = seconds;
    const time =
      epoch === epochs ? `in ${duration(seconds)}` : timeLeft(status);
    console.log(`${status.label.padEnd(9)} ${describe(status)}  ${time}`);
  }

  end(): void {
    // The last epoch already has its line.
  }

  close(): void {
    // Nothing to clean up.
  }
}

function describe({epoch, epochs, loss, accuracy}: Status): string {
  const digits = String(epochs).length;
  const lost = loss === undefined ? '–' : loss.toFixed(3);
  const reached = accuracy === undefined ? '–' : percent(accuracy);
  return (
    `epoch ${String(epoch).padStart(digits)}/${epochs}  ` +
    `loss ${lost.padStart(5)}  accuracy ${reached.padStart(5)}`
  );
}

function timeLeft({secondsLeft}: Status): string {
  return Number.isFinite(secondsLeft) ? `${duration(secondsLeft)} left` : '';
}
