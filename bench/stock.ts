import {join} from 'node:path';
import type {BackendName} from '../examples/digits/options.js';
import {Peer} from './peer.js';
import type {LayerCase} from './results.js';

/** Beside this file where it is compiled. */
const PROGRAM = join(__dirname, 'stock_program.js');

/** What stock tf.js is measured at. */
export type StockStep = 'stock' | 'add';

/**
 * Stock tf.js in a process of its own, which never loads this package: it must not be
 * slower for it.
 */
export class Stock {
  private constructor(private readonly peer: Peer) {}

  /** @throws Error if the backend does not start there. */
  static async start(backend: BackendName, program = PROGRAM): Promise<Stock> {
    const args = ['--no-deprecation', program, backend];
    const {peer} = await Peer.start(process.execPath, args, 'stock');
    return new Stock(peer);
  }

  /** Says what to run from now on. */
  async prepare(layerCase: LayerCase): Promise<void> {
    await this.peer.ask({prepare: layerCase});
  }

  /** Runs it, and gives the milliseconds that it took in there. */
  async run(step: StockStep): Promise<number> {
    const {milliseconds} = await this.peer.ask({run: step});
    return milliseconds ?? NaN;
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
