import {loadModel} from './model_files.js';
import type {CommonOptions} from './options.js';
import type {Progress} from './progress.js';
import {loadTfjs} from './tfjs.js';

/** Runs `inspect`, and returns the text to print. */
export async function inspectCommand(
  options: CommonOptions,
  progress: Progress,
): Promise<string> {
  const {model: path, json} = options;
  const tfjs = await loadTfjs(options.import);
  const {model} = await loadModel(path, tfjs, progress);
  const inspection = await tfjs.normalization.inspect(model);
  if (!json) return tfjs.normalization.formatInspection(inspection);
  return JSON.stringify({model: path, layers: inspection}, null, 2);
}
