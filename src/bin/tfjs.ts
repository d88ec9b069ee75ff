import {createRequire} from 'node:module';
import {join} from 'node:path';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import type * as normalization from 'tfjs-normalization';
import type * as files from 'tfjs-normalization/node';

/** TensorFlow.js with a backend that runs, and this package on it. */
export interface Tfjs {
  readonly core: typeof core;
  readonly layers: typeof layers;
  readonly normalization: typeof normalization;
  readonly files: typeof files;
}

/** Both register the backend `cpu`, the second with much else. */
const BACKENDS = ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs'];

const MISSING =
  'TensorFlow.js is not installed in this project: npm install @tensorflow/tfjs';

/**
 * Loads TensorFlow.js as this package finds it, else as the project does that the
 * command runs in.
 *
 * @throws Error saying how to install it if it is not there.
 */
export async function loadTfjs(): Promise<Tfjs> {
  const near = createRequire(__filename);
  const inProject = createRequire(join(process.cwd(), 'package.json'));
  const find = (name: string): unknown =>
    tryRequire(near, name) ?? tryRequire(inProject, name);
  const all = {
    core: find('@tensorflow/tfjs-core'),
    layers: find('@tensorflow/tfjs-layers'),
    normalization: tryRequire(near, 'tfjs-normalization'),
    files: tryRequire(near, 'tfjs-normalization/node'),
  };
  const isThere = Object.values(all).every((part) => part !== undefined);
  if (!isThere) throw new Error(MISSING);
  const tfjs = all as Tfjs;
  // Without it the cpu backend advertises another one over several lines.
  tfjs.core.enableProdMode();
  if (!BACKENDS.some((name) => find(name) !== undefined)) {
    throw new Error(MISSING);
  }
  await tfjs.core.setBackend('cpu');
  return tfjs;
}

/** undefined where a package, or one that it needs, is not installed. */
function tryRequire(require: NodeJS.Require, name: string): unknown {
  try {
    return require(name);
  } catch (error) {
    if ((error as {code?: unknown}).code === 'MODULE_NOT_FOUND')
      return undefined;
    throw error;
  }
}
