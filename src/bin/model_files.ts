import {existsSync, realpathSync, statSync} from 'node:fs';
import {basename, dirname, extname, join, resolve} from 'node:path';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {UsageError} from './failures.js';
import type {WritingOptions} from './options.js';
import type {Progress} from './progress.js';
import type {Tfjs} from './tfjs.js';

const MODEL_JSON = 'model.json';

/** The share of the work that loading is taken for. */
const LOADING = 0.6;

/**
 * Makes sure that a model may be written to the output.
 *
 * @throws UsageError if one is there that may not be written over.
 */
export function checkOutput({model, output, force}: WritingOptions): void {
  const name = basename(output);
  if (extname(name) === '.json' && name !== MODEL_JSON) {
    throw new UsageError(
      `${output}: a model is written to a folder, or to the ${MODEL_JSON} in it`,
    );
  }
  const file = fileOf(output);
  if (force || !existsSync(file)) return;
  const isInput = realpathSync(file) === realpathOf(fileOf(model));
  const what = isInput ? 'this is the input' : 'there is a model already';
  throw new UsageError(`${output}: ${what}; --force writes over it`);
}

/**
 * Loads a model from files.
 *
 * @throws Error naming the path if it cannot be loaded.
 */
export async function loadModel(
  path: string,
  {core, layers}: Tfjs,
  progress: Progress,
): Promise<LayersModel> {
  const onProgress = (fraction: number): void =>
    progress.step('loading', LOADING * fraction);
  const url = `file://${resolve(path)}`;
  const [handler] = core.io.getLoadHandlers(url, {onProgress});
  if (handler === undefined) throw new Error(`${path}: no way to load it`);
  return layers.loadLayersModel(handler);
}

/**
 * Writes a model to files: all of it, or nothing.
 *
 * @throws Error naming the path if it cannot be written.
 */
export async function saveModel(
  model: LayersModel,
  path: string,
  {files}: Tfjs,
  progress: Progress,
): Promise<void> {
  progress.step('saving', 1 - (1 - LOADING) / 2);
  await model.save(files.fileSystem(path));
}

/** The model.json that a path means. */
function fileOf(path: string): string {
  const isFolder = statSync(path, {throwIfNoEntry: false})?.isDirectory();
  const isFile = isFolder !== true && extname(path) === '.json';
  return isFile ? join(dirname(path), basename(path)) : join(path, MODEL_JSON);
}

function realpathOf(file: string): string | undefined {
  return existsSync(file) ? realpathSync(file) : undefined;
}
