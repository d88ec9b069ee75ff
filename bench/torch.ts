import {join} from 'node:path';
import {groupsOf} from './cases.js';
import {Peer} from './peer.js';
import type {LayerCase} from './results.js';

/** Relative to the package's root, where npm runs scripts. */
const SCRIPT = join('bench', 'torch_timing.py');

/** PyTorch in a separate process, which runs on request. */
export class Torch {
  private constructor(private readonly peer: Peer) {}

  /**
   * @param python The interpreter to run.
   * @throws Error if it does not start or has no PyTorch.
   */
  static async start(
    python: string,
    script = SCRIPT,
  ): Promise<{torch: Torch; version: string}> {
    const {peer, version} = await Peer.start(python, [script], 'python');
    return {torch: new Torch(peer), version};
  }

  /** Sets the computation to run from now on, and the number of threads. */
  async prepare(layerCase: LayerCase, threads: number): Promise<void> {
    const groups = groupsOf(layerCase);
    await this.peer.ask({...layerCase, groups, threads});
  }

  /** Runs it, and returns the milliseconds that the process measured. */
  async run(): Promise<number> {
    const {milliseconds} = await this.peer.ask({run: true});
    return milliseconds ?? NaN;
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
