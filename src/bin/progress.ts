import {SingleBar} from 'cli-progress';

/** Shows a command's progress. */
export interface Progress {
  /** @param fraction From 0 to 1. */
  step(what: string, fraction: number): void;
  end(): void;
}

/**
 * Creates a bar on the terminal's standard error; shows nothing if it is not a
 * terminal.
 */
export function createProgress(): Progress {
  return process.stderr.isTTY ? new BarProgress() : SILENT;
}

const SILENT: Progress = {step: () => undefined, end: () => undefined};

class BarProgress implements Progress {
  private readonly bar = new SingleBar({
    format: '{bar}  {what}',
    barCompleteChar: '━',
    barIncompleteChar: '─',
    barsize: 20,
    stream: process.stderr,
    clearOnComplete: true,
  });

  constructor() {
    this.bar.start(1, 0, {what: 'starting TensorFlow.js'});
  }

  step(what: string, fraction: number): void {
    this.bar.update(fraction, {what});
  }

  end(): void {
    this.bar.stop();
  }
}
