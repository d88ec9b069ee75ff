import type {StockNorm} from './results.js';
import {type Answer, Peer} from './peer.js';
import type {Request, TimedStep} from './serve.js';

/** Computations with tf.js in a process of their own, which measures them there. */
export class TimedProcess {
  protected constructor(private readonly peer: Peer) {}

  /**
   * Starts a program that serves requests, whose argument is a backend.
   *
   * @param name The process as messages name it.
   */
  protected static async startPeer(
    program: string,
    backend: string,
    name: string,
  ): Promise<Peer> {
    const args = ['--no-deprecation', program, backend];
    const {peer} = await Peer.start(process.execPath, args, name);
    return peer;
  }

  /** Sets the whole program to run from now on, with each normalization that it has. */
  async prepareProgram(name: string, norm: StockNorm): Promise<void> {
    await this.request({program: {name, norm}});
  }

  /** Runs it, and returns the milliseconds that the process measured. */
  async run(step: TimedStep): Promise<number> {
    const {milliseconds} = await this.request({run: step});
    return milliseconds ?? NaN;
  }

  protected request(request: Request): Promise<Answer> {
    return this.peer.ask(request);
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
