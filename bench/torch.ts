import {join} from 'node:path';
import {Peer} from './peer.js';
import type {LayerCase} from './results.js';

/** From where npm runs scripts. */
const SCRIPT = join('bench', 'torch_timing.py');

/** PyTorch in a process of its own, which runs when it is told to. */
export class Torch {
  private constructor(private readonly peer: Peer) {}

  /**
   * @param python The interpreter to run.
   * @throws Error if it cannot be started or has no PyTorch.
   */
  static async start(
    python: string,
    script = SCRIPT,
  ): Promise<{torch: Torch; version: string}> {
    const {peer, version} = await Peer.start(python, [script], 'python');
    return {torch: new Torch(peer), version};
  }

  /** Says what to run from now on, with so many threads. */
  async prepare(layerCase: LayerCase, threads: number): Promise<void> {
    await this.peer.ask({...layerCase, threads});
  }

  /** Runs it, and gives the milliseconds that it took in there. */
  async run(): Promise<number> {
    const {milliseconds} = await this.peer.ask({run: true});
    return milliseconds ?? NaN;
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
