import {UsageError} from './failures.js';
import {checkOutput, readModel, showSaving, withHint} from './model_files.js';
import type {ConvertOptions} from './options.js';
import type {Progress} from './progress.js';
import {loadTfjs} from './tfjs.js';

/** Runs `convert`, and returns the text to print. */
export async function convertCommand(
  options: ConvertOptions,
  progress: Progress,
): Promise<string> {
  const {model: path, output, json, to, lossy} = options;
  if (lossy && to !== 'stock') {
    throw new UsageError('--lossy works only with --to stock');
  }
  checkOutput(options);
  const tfjs = await loadTfjs(options.import);
  const {core, files, normalization} = tfjs;
  const {fromKeras, toStock} = normalization;
  const read = await readModel(path, tfjs, progress);
  const source = fromKeras(core.io.fromMemory(read));
  const onOurs = await source.load?.().catch((error: unknown) => {
    throw withHint(error, path);
  });
  if (onOurs === undefined) throw new Error(`${path}: cannot be loaded`);
  showSaving(progress);
  const file = files.fileSystem(output);
  await (to === 'stock' ? toStock(file, {lossy}) : file).save?.(onOurs);
  if (json) return JSON.stringify({model: path, output, to}, null, 2);
  const whose = to === 'stock' ? "tf.js's own layers" : 'tfjs-normalization';
  return `Written for ${whose}: ${output}`;
}
