import type {io} from '@tensorflow/tfjs-core';
import type {FoldReport} from 'tfjs-normalization';
import {checkOutput, loadModel, saveModel, showSaving} from './model_files.js';
import type {WritingOptions} from './options.js';
import type {Progress} from './progress.js';
import {loadTfjs} from './tfjs.js';

/** The most unfolded layers to name. */
const MOST = 10;

/** Runs `fold`, and returns the text to print. */
export async function foldCommand(
  options: WritingOptions,
  progress: Progress,
): Promise<string> {
  checkOutput(options);
  const {model: path, output, json} = options;
  const tfjs = await loadTfjs(options.import);
  const {model, artifacts} = await loadModel(path, tfjs, progress);
  let report: FoldReport = {folded: [], kept: []};
  const folded = tfjs.normalization.foldBatchNorm(model, {
    onReport: (outcome) => (report = outcome),
  });
  const metadata = model.getUserDefinedMetadata() as object | undefined;
  if (metadata !== undefined) folded.setUserDefinedMetadata(metadata);
  showSaving(progress);
  await saveModel(folded, output, tfjs);
  const dequantized = quantizedTo(artifacts);
  if (json) {
    const told = {model: path, output, ...report, dequantized};
    return JSON.stringify(told, null, 2);
  }
  return [...describe(report, output), ...tellOf(dequantized)].join('\n');
}

function describe({folded, kept}: FoldReport, output: string): string[] {
  const total = folded.length + kept.length;
  const lines = kept
    .slice(0, MOST)
    .map(({layer, reason}) => `  ${layer}: ${reason}`);
  const more = kept.length - lines.length;
  return [
    `Folded ${folded.length} of ${total} batch normalizations: ${output}`,
    ...(lines.length > 0 ? ['Not folded:', ...lines] : []),
    ...(more > 0 ? [`  … and ${more} more; --json names all`] : []),
  ];
}

/**
 * The types that weights were quantized to. Folding computes new weights in
 * float32.
 */
function quantizedTo({weightSpecs = []}: io.ModelArtifacts): string[] {
  const types = weightSpecs.flatMap(({quantization}) =>
    quantization ? [quantization.dtype] : [],
  );
  return [...new Set(types)];
}

function tellOf(dequantized: readonly string[]): string[] {
  if (dequantized.length === 0) return [];
  return [
    `Its weights were quantized to ${dequantized.join(' and ')}. They are written ` +
      `as float32, which takes\nup to ${dequantized.includes('uint8') ? 4 : 2} times the space.`,
  ];
}
