import {join} from 'node:path';
import type {BackendName} from '../tools/backend_names.js';
import type {LayerCase} from './results.js';
import {TimedProcess} from './timed_process.js';

/** In the same folder as this file's compiled form. */
const PROGRAM = join(__dirname, 'stock_program.js');

/**
 * Stock tf.js in a separate process that never loads this package, which could
 * slow it down.
 */
export class Stock extends TimedProcess {
  /** @throws Error if the backend does not start there. */
  static async start(backend: BackendName, program = PROGRAM): Promise<Stock> {
    return new Stock(await this.startPeer(program, backend, 'stock'));
  }

  /** Sets the computation to run from now on. */
  async prepare(layerCase: LayerCase): Promise<void> {
    await this.request({prepare: layerCase});
  }

  /** Sets the network to predict with from now on. */
  async prepareNetwork(model: string): Promise<void> {
    await this.request({network: model});
  }
}
