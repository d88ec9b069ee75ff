import {join} from 'node:path';
import type {BackendName} from '../examples/digits/options.js';
import {Peer} from './peer.js';
import type {LayerCase} from './results.js';

/** In the same folder as this file's compiled form. */
const PROGRAM = join(__dirname, 'stock_program.js');

/** The measured computations of stock tf.js. */
export type StockStep = 'stock' | 'add';

/**
 * Stock tf.js in a separate process that never loads this package, which could
 * slow it down.
 */
export class Stock {
  private constructor(private readonly peer: Peer) {}

  /** @throws Error if the backend does not start there. */
  static async start(backend: BackendName, program = PROGRAM): Promise<Stock> {
    const args = ['--no-deprecation', program, backend];
    const {peer} = await Peer.start(process.execPath, args, 'stock');
    return new Stock(peer);
  }

  /** Sets the computation to run from now on. */
  async prepare(layerCase: LayerCase): Promise<void> {
    await this.peer.ask({prepare: layerCase});
  }

  /** Runs it, and returns the milliseconds that the process measured. */
  async run(step: StockStep): Promise<number> {
    const {milliseconds} = await this.peer.ask({run: step});
    return milliseconds ?? NaN;
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
