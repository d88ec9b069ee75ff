import {join} from 'node:path';
import type {BackendName} from '../tools/backend_names.js';
import {type Answer, Peer} from './peer.js';
import type {LayerCase, StockNorm} from './results.js';

/** In the same folder as this file's compiled form. */
const PROGRAM = join(__dirname, 'stock_program.js');

/** The measured computations of stock tf.js. */
export type StockStep = 'stock' | 'add' | 'none';

/** A request to the process: one of these each time. */
export interface Request {
  readonly prepare?: LayerCase;
  /** A whole program. */
  readonly program?: {readonly name: string; readonly norm: StockNorm};
  /** The name of a network that predicts. */
  readonly network?: string;
  readonly run?: StockStep;
}

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
    await this.request({prepare: layerCase});
  }

  /** Sets the whole program to run from now on, with stock's layers and without. */
  async prepareProgram(name: string, norm: StockNorm): Promise<void> {
    await this.request({program: {name, norm}});
  }

  /** Sets the network to predict with from now on. */
  async prepareNetwork(model: string): Promise<void> {
    await this.request({network: model});
  }

  /** Runs it, and returns the milliseconds that the process measured. */
  async run(step: StockStep): Promise<number> {
    const {milliseconds} = await this.request({run: step});
    return milliseconds ?? NaN;
  }

  private request(request: Request): Promise<Answer> {
    return this.peer.ask(request);
  }

  /** Ends the process. */
  close(): void {
    this.peer.close();
  }
}
