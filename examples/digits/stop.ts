/**
 * npm passes on a signal that the terminal has already sent to all processes:
 * one press of Ctrl-C arrives twice, a moment apart.
 */
const SAME_PRESS_MS = 500;

/** Handles Ctrl-C: once, stop after the batch; again, end at once. */
export class Stop {
  private since: number | undefined;

  /**
   * @param endNow Ends the program.
   * @param now The time in milliseconds.
   */
  constructor(
    private readonly endNow: () => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** True after Ctrl-C was pressed. */
  get requested(): boolean {
    return this.since !== undefined;
  }

  /** Starts listening to Ctrl-C. */
  listen(): void {
    process.on('SIGINT', () => this.press());
  }

  /** Handles a signal. */
  press(): void {
    if (this.since === undefined) {
      this.since = this.now();
    } else if (this.now() - this.since >= SAME_PRESS_MS) {
      this.endNow();
    }
  }
}
