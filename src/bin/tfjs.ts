import {createRequire} from 'node:module';
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import type * as core from '@tensorflow/tfjs-core';
import type * as layers from '@tensorflow/tfjs-layers';
import type * as normalization from 'tfjs-normalization';
import type * as keras from 'tfjs-normalization/keras';
import type * as files from 'tfjs-normalization/node';
import {messageOf, UsageError} from './failures.js';

/** TensorFlow.js with a working backend, and this package on top of it. */
export interface Tfjs {
  readonly core: typeof core;
  readonly layers: typeof layers;
  readonly normalization: typeof normalization;
  readonly files: typeof files;
  readonly keras: typeof keras;
}

/** Both register the backend `cpu`, the second along with much else. */
const BACKENDS = ['@tensorflow/tfjs-backend-cpu', '@tensorflow/tfjs'];

const MISSING =
  'TensorFlow.js is not installed in this project: npm install @tensorflow/tfjs';

/**
 * Loads TensorFlow.js as this package resolves it, else as the current project
 * does, and then modules that register custom layers.
 *
 * @param modules Paths and packages, resolved from the current folder.
 * @throws Error naming what is missing and how to install it, or what fails to
 *   load; UsageError if there is no such module.
 */
export async function loadTfjs(modules: readonly string[]): Promise<Tfjs> {
  const places = modules.map(placeOf);
  const near = createRequire(__filename);
  const inProject = requireHere();
  const find = (name: string): unknown =>
    load(near, name) ?? load(inProject, name);
  const tfjs = {
    core: find('@tensorflow/tfjs-core') ?? missing(MISSING),
    layers:
      find('@tensorflow/tfjs-layers') ??
      missing(
        '@tensorflow/tfjs-layers is not installed: npm install @tensorflow/tfjs',
      ),
    normalization: loadOwn(near, 'tfjs-normalization'),
    files: loadOwn(near, 'tfjs-normalization/node'),
    keras: loadOwn(near, 'tfjs-normalization/keras'),
  } as Tfjs;
  // Otherwise the cpu backend prints several lines that advertise another
  // backend.
  tfjs.core.enableProdMode();
  if (!BACKENDS.some((name) => find(name) !== undefined)) {
    missing(
      'TensorFlow.js is installed, but its cpu backend is not: ' +
        `npm install ${BACKENDS[0]}`,
    );
  }
  if (!(await tfjs.core.setBackend('cpu'))) {
    throw new Error(
      "TensorFlow.js is installed, but its backend 'cpu' does not start",
    );
  }
  for (const [i, place] of places.entries()) {
    await importModule(place, modules[i] ?? place);
  }
  return tfjs;
}

function missing(message: string): never {
  throw new Error(message);
}

function requireHere(): NodeJS.Require {
  return createRequire(join(process.cwd(), 'package.json'));
}

/**
 * @returns undefined where a package is not installed.
 * @throws Error if it is installed but does not load.
 */
function load(require: NodeJS.Require, name: string): unknown {
  if (!isInstalled(require, name)) return undefined;
  try {
    return require(name);
  } catch (error) {
    throw new Error(
      `${name} is installed, but does not load: ${reasonOf(error)}`,
    );
  }
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch (error) {
    const {code, path} = error as {code?: unknown; path?: unknown};
    // With a path, the package was found, but not the file in it.
    return code !== 'MODULE_NOT_FOUND' || path !== undefined;
  }
}

/**
 * Loads this package, which may resolve fewer packages than the project does.
 */
function loadOwn(require: NodeJS.Require, name: string): unknown {
  const needed = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'];
  if (needed.every((part) => isInstalled(require, part))) {
    return load(require, name);
  }
  throw new Error(
    'TensorFlow.js is installed in this project, but tfjs-normalization is not: ' +
      'npm install tfjs-normalization',
  );
}

/** Resolves a module of `--import` to a file. */
function placeOf(module: string): string {
  const file = resolve(module);
  if (existsSync(file)) return requireHere().resolve(file);
  try {
    return requireHere().resolve(module);
  } catch (error) {
    throw new UsageError(
      `--import ${module}: there is no such file and no such package here ` +
        `(${reasonOf(error)})`,
    );
  }
}

async function importModule(place: string, module: string): Promise<void> {
  try {
    await import(pathToFileURL(place).href);
  } catch (error) {
    throw new Error(`--import ${module}: it does not load: ${reasonOf(error)}`);
  }
}

/**
 * Returns the message without the list of files that required the missing one.
 */
function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ ?Require stack:.*$/, '');
}
