import {createRequire} from 'node:module';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import {InputError, oneLine, reasonOf} from './errors.js';
import {type BackendName, BACKENDS} from './backend_names.js';

const TFJS_NODE = '@tensorflow/tfjs-node';

/** The backend in use, and the reason for the choice. */
export interface Backend {
  readonly name: BackendName;
  readonly why: string;
}

/**
 * Starts a backend: the requested one, else the first that loads.
 *
 * @param among The possible backends, the preferred ones first.
 * @throws InputError if the requested one does not load.
 */
export async function startBackend(
  asked?: BackendName,
  among: readonly BackendName[] = BACKENDS,
): Promise<Backend> {
  // Otherwise the cpu backend prints several lines that advertise another
  // backend.
  tf.enableProdMode();
  if (asked !== undefined) {
    const failure = await tryBackend(asked);
    if (failure === undefined) return {name: asked, why: 'as asked'};
    throw new InputError(`--backend ${asked}: ${failure}`);
  }
  const failures: string[] = [];
  for (const name of among) {
    const failure = await tryBackend(name);
    if (failure === undefined) return {name, why: whyThis(failures)};
    failures.push(`${name}: ${failure}`);
  }
  throw new InputError(`no backend loads: ${failures.join('; ')}`);
}

function whyThis(failures: readonly string[]): string {
  if (failures.length === 0) return `${TFJS_NODE} is installed`;
  return failures.join('; ');
}

/**
 * @returns The reason why it does not load, or undefined if it is now in use.
 */
async function tryBackend(name: BackendName): Promise<string | undefined> {
  try {
    if (name === 'tensorflow') loadTfjsNode();
    if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
    return (await tf.setBackend(name)) ? undefined : 'does not start';
  } catch (error) {
    return why(error);
  }
}

function loadTfjsNode(): void {
  // tfjs-node 4.22 calls two functions that Node 23 removed.
  const removed = util as unknown as Record<string, unknown>;
  removed.isNullOrUndefined ??= (value: unknown) => value == null;
  removed.isArray ??= Array.isArray;
  // TensorFlow prints on standard error which CPU instructions it could use.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  createRequire(__filename)(TFJS_NODE);
}

/** Uses short words for frequent failures, else the error's own message. */
function why(error: unknown): string {
  const message = reasonOf(error);
  if (isMissing(error)) return `${TFJS_NODE} is not installed`;
  return message.includes('tfjs_binding.node')
    ? `${TFJS_NODE} is installed without its native part`
    : `does not load: ${oneLine(message.split('\n')[0] ?? message)}`;
}

function isMissing(error: unknown): boolean {
  const {code, message} = error as {code?: unknown; message?: unknown};
  return (
    code === 'MODULE_NOT_FOUND' &&
    String(message).startsWith(`Cannot find module '${TFJS_NODE}'`)
  );
}
