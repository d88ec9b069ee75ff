import type {io} from '@tensorflow/tfjs-core';
import {UsageError} from './failures.js';
import {
  checkOutput,
  isKerasFile,
  loadModel,
  readModel,
  saveModel,
  showSaving,
  withHint,
} from './model_files.js';
import type {ConvertOptions} from './options.js';
import type {Progress} from './progress.js';
import {loadTfjs, type Tfjs} from './tfjs.js';

/** Runs `convert`, and returns the text to print. */
export async function convertCommand(
  options: ConvertOptions,
  progress: Progress,
): Promise<string> {
  const {model: path, output, json, lossy} = options;
  const to = targetOf(options);
  if (lossy && to !== 'stock') {
    throw new UsageError('--lossy works only with --to stock');
  }
  checkOutput(options);
  const tfjs = await loadTfjs(options.import);
  if (isKerasFile(path) || to === 'keras') {
    const {model} = await loadModel(path, tfjs, progress);
    showSaving(progress);
    if (to === 'stock') await model.save(handlerOf(options, tfjs));
    else await saveModel(model, output, tfjs);
  } else {
    const artifacts = await translated(path, tfjs, progress);
    showSaving(progress);
    await handlerOf(options, tfjs).save?.(artifacts);
  }
  if (json) return JSON.stringify({model: path, output, to}, null, 2);
  return `Written for ${READERS[to]}: ${output}`;
}

const READERS = {
  keras: 'Keras 3',
  normalization: 'tfjs-normalization',
  stock: "tf.js's own layers",
} as const;

/** Whose layers the written model has. Only those of model.json are a choice. */
function targetOf({model, output, to}: ConvertOptions): keyof typeof READERS {
  if (isKerasFile(output)) {
    if (to === undefined) return 'keras';
    throw new UsageError(`${output}: --to is for a folder, and this is a file`);
  }
  if (to !== undefined) return to;
  if (isKerasFile(model)) return 'normalization';
  throw new UsageError(
    "required option '--to <layers>' not specified (tfjs-normalization convert --help)",
  );
}

/** Returns the handler that saves a model.json. */
function handlerOf(
  {output, to, lossy}: ConvertOptions,
  {files, normalization}: Tfjs,
): io.IOHandler {
  const file = files.fileSystem(output);
  return to === 'stock' ? normalization.toStock(file, {lossy}) : file;
}

async function translated(
  path: string,
  tfjs: Tfjs,
  progress: Progress,
): Promise<io.ModelArtifacts> {
  const {core, normalization} = tfjs;
  const read = await readModel(path, tfjs, progress);
  const source = normalization.fromKeras(core.io.fromMemory(read));
  const artifacts = await source.load?.().catch((error: unknown) => {
    throw withHint(error, path);
  });
  if (artifacts === undefined) throw new Error(`${path}: cannot be loaded`);
  return artifacts;
}
