import {
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, extname, join, resolve} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {messageOf, UsageError} from './failures.js';
import type {WritingOptions} from './options.js';
import type {Progress} from './progress.js';
import type {Tfjs} from './tfjs.js';

const MODEL_JSON = 'model.json';

const KERAS_FILE = '.keras';

/** If true, a path is that of a file of Keras 3. */
export function isKerasFile(path: string): boolean {
  return extname(path) === KERAS_FILE;
}

/** The share of the progress bar that loading takes. */
const LOADING = 0.6;

/**
 * Makes sure that a model may be written to the output.
 *
 * @throws UsageError if a model is there and `force` is false.
 */
export function checkOutput({model, output, force}: WritingOptions): void {
  const name = basename(output);
  if (extname(name) === '.json' && name !== MODEL_JSON) {
    throw new UsageError(
      `${output}: must be a folder, or the ${MODEL_JSON} in a folder`,
    );
  }
  const file = fileOf(output);
  if (force || !existsSync(file)) return;
  const isInput = realpathSync(file) === realpathOf(fileOf(model));
  const what = isInput ? 'this is the input' : 'a model already exists here';
  throw new UsageError(`${output}: ${what}; --force overwrites it`);
}

/**
 * Reads a model's files.
 *
 * @throws Error naming the path if it cannot be read.
 */
export async function readModel(
  path: string,
  {core}: Tfjs,
  progress: Progress,
): Promise<io.ModelArtifacts> {
  const onProgress = (fraction: number): void =>
    progress.step('loading', LOADING * fraction);
  const url = `file://${resolve(path)}`;
  const [handler] = core.io.getLoadHandlers(url, {onProgress});
  if (handler?.load === undefined) {
    throw new Error(`${path}: no handler can load from files`);
  }
  return handler.load();
}

/**
 * Loads a model from files: unchanged if tf.js wrote it, else as Keras's. Artifacts are
 * those of a model.json.
 *
 * @throws Error naming the path if it cannot be loaded.
 */
export async function loadModel(
  path: string,
  tfjs: Tfjs,
  progress: Progress,
): Promise<{model: LayersModel; artifacts: io.ModelArtifacts}> {
  const {core, layers, normalization, keras} = tfjs;
  if (isKerasFile(path)) {
    const model = await keras.fromKerasFile(path).catch((error: unknown) => {
      throw withHint(error, path);
    });
    return {model, artifacts: {}};
  }
  const artifacts = await readModel(path, tfjs, progress);
  const source = core.io.fromMemory(artifacts);
  try {
    const model = await layers.loadLayersModel(
      isFromTfjs(artifacts) ? source : normalization.fromKeras(source),
    );
    return {model, artifacts};
  } catch (error) {
    throw withHint(error, path);
  }
}

/** Saves a model to a folder, or to a file of Keras 3, whole or not at all. */
export async function saveModel(
  model: LayersModel,
  output: string,
  {files, keras}: Tfjs,
): Promise<void> {
  if (!isKerasFile(output)) {
    await model.save(files.fileSystem(output));
    return;
  }
  const bytes = await keras.toKerasFile(model);
  const unfinished = `${output}.${process.pid}.tmp`;
  mkdirSync(dirname(output), {recursive: true});
  try {
    writeFileSync(unfinished, bytes);
    renameSync(unfinished, output);
  } catch (error) {
    rmSync(unfinished, {force: true});
    throw error;
  }
}

/** Adds the way to load a class to an error about an unregistered one. */
export function withHint(error: unknown, path: string): unknown {
  const message = messageOf(error);
  const hint = '--import <module> loads a module that registers it';
  // tf.js's message has several more lines.
  const [, name] = /^Unknown layer: ([^\s.]+)/.exec(message) ?? [];
  if (name !== undefined) {
    return new Error(`${path}: unknown layer ${name}; ${hint}`);
  }
  const isUnknown = message.includes('none is registered under the name');
  return isUnknown ? new Error(`${message}; ${hint}`) : error;
}

/** Shows that a model is being written. */
export function showSaving(progress: Progress): void {
  progress.step('saving', (1 + LOADING) / 2);
}

function isFromTfjs({modelTopology}: io.ModelArtifacts): boolean {
  const {keras_version: version} = (modelTopology ?? {}) as {
    keras_version?: unknown;
  };
  return typeof version === 'string' && version.startsWith('tfjs');
}

/** Returns the path of the file that a path stands for: by default a model.json. */
function fileOf(path: string): string {
  if (isKerasFile(path)) return path;
  const isFolder = statSync(path, {throwIfNoEntry: false})?.isDirectory();
  const isFile = isFolder !== true && extname(path) === '.json';
  return isFile ? join(dirname(path), basename(path)) : join(path, MODEL_JSON);
}

function realpathOf(file: string): string | undefined {
  return existsSync(file) ? realpathSync(file) : undefined;
}
