import {join} from 'node:path';
import type {BackendName} from '../tools/backend_names.js';
import {TimedProcess} from './timed_process.js';

/** In the same folder as this file's compiled form. */
const PROGRAM = join(__dirname, 'other_kernels_program.js');

/**
 * This package without its native kernels, in a separate process: one process keeps the
 * kernels that it has computed with first.
 */
export class OtherKernels extends TimedProcess {
  /** @throws Error if the backend does not start there. */
  static async start(
    backend: BackendName,
    program = PROGRAM,
  ): Promise<OtherKernels> {
    return new OtherKernels(
      await this.startPeer(program, backend, 'other kernels'),
    );
  }
}
