import {fork} from 'node:child_process';
import {join} from 'node:path';
import type {Images} from './images.js';
import type {BackendName} from '../../tools/backend_names.js';

/** A request to the fresh process. */
export interface ReloadRequest {
  readonly backend: BackendName;
  /** The folders of the saved models. */
  readonly folders: readonly string[];
  readonly pixels: Float32Array;
  readonly size: number;
}

/** Its answer: the predictions of each model, or an error. */
export type ReloadAnswer = {predictions: Float32Array[]} | {error: string};

/**
 * Loads saved models in a fresh process and predicts with them there.
 *
 * @throws Error if the process fails or a model does not load.
 */
export async function predictReloaded(
  backend: BackendName,
  folders: readonly string[],
  {pixels, size}: Images,
): Promise<Float32Array[]> {
  const request: ReloadRequest = {backend, folders, pixels, size};
  const answer = await askChild(request);
  if ('error' in answer) throw new Error(`loading again: ${answer.error}`);
  return answer.predictions;
}

function askChild(request: ReloadRequest): Promise<ReloadAnswer> {
  const child = fork(join(__dirname, 'reload.js'), {
    // Structured cloning keeps the bits of a Float32Array; JSON does not.
    serialization: 'advanced',
    // As in main.ts.
    execArgv: [...process.execArgv, '--no-deprecation'],
  });
  return new Promise<ReloadAnswer>((resolve, reject) => {
    child.once('message', (answer) => {
      child.disconnect();
      resolve(answer as ReloadAnswer);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const how = signal ?? `exit code ${code}`;
      reject(new Error(`loading again: the process ended with ${how}`));
    });
    child.send(request);
  });
}

/** Tells if two predictions are equal, bit for bit. */
export function sameBits(
  a: Float32Array | undefined,
  b: Float32Array | undefined,
): boolean {
  return a !== undefined && b !== undefined && bytesOf(a).equals(bytesOf(b));
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
