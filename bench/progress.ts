import {SingleBar} from 'cli-progress';
import {duration} from '../tools/format.js';

/** Shows the current measurement and the total number. */
export interface Progress {
  begin(what: string): void;
  end(): void;
}

/** On standard error: a bar in a terminal, lines in a file or a pipe. */
export function createProgress(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  return stream.isTTY
    ? new BarProgress(total, stream)
    : new LineProgress(total, stream);
}

class BarProgress implements Progress {
  private readonly bar: SingleBar;
  private begun = 0;

  constructor(total: number, stream: NodeJS.WriteStream) {
    this.bar = new SingleBar({
      format: '{bar}  {value}/{total}  {time}  {what}',
      barCompleteChar: '━',
      barIncompleteChar: '─',
      barsize: 14,
      stream,
      clearOnComplete: true,
      // By default, the bar stops on Ctrl-C but the program goes on.
      gracefulExit: false,
    });
    this.bar.start(total, 0, {what: '', time: ''});
  }

  begin(what: string): void {
    const time = duration(process.uptime());
    this.bar.update(this.begun, {what, time});
    this.begun += 1;
  }

  end(): void {
    this.bar.update(this.begun);
    this.bar.stop();
  }
}

class LineProgress implements Progress {
  private begun = 0;

  constructor(
    private readonly total: number,
    private readonly stream: NodeJS.WriteStream,
  ) {}

  begin(what: string): void {
    this.begun += 1;
    this.stream.write(`${this.begun}/${this.total}  ${what}\n`);
  }

  end(): void {
    // Every line is already written.
  }
}
