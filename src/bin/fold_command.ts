import type {FoldReport} from 'tfjs-normalization';
import {checkOutput, loadModel, showSaving} from './model_files.js';
import type {WritingOptions} from './options.js';
import type {Progress} from './progress.js';
import {loadTfjs} from './tfjs.js';

/** `fold`: what it prints. */
export async function foldCommand(
  options: WritingOptions,
  progress: Progress,
): Promise<string> {
  checkOutput(options);
  const {model: path, output, json} = options;
  const tfjs = await loadTfjs();
  const model = await loadModel(path, tfjs, progress);
  let report: FoldReport = {folded: [], kept: []};
  const folded = tfjs.normalization.foldBatchNorm(model, {
    onReport: (given) => (report = given),
  });
  showSaving(progress);
  await folded.save(tfjs.files.fileSystem(output));
  if (json) return JSON.stringify({model: path, output, ...report}, null, 2);
  return describe(report, output);
}

function describe({folded, kept}: FoldReport, output: string): string {
  const total = folded.length + kept.length;
  const lines = kept.map(({layer, reason}) => `  ${layer}: ${reason}`);
  return [
    `Folded ${folded.length} of ${total} batch normalizations: ${output}`,
    ...(lines.length > 0 ? ['Not folded:', ...lines] : []),
  ].join('\n');
}
