import type {Backend} from '../../tools/backend.js';
import type {Data} from './dataset.js';
import {counted, wrap} from '../../tools/format.js';
import type {Metrics} from './metrics.js';
import type {Options} from './options.js';
import {recalibratedSentenceOf, sentenceOf} from './sentence.js';
import {tableOf} from './table.js';

const WIDTH = 78;

/** Describes the run that is about to start. */
export function startOf(
  options: Options,
  data: Data,
  backend: Backend,
): string {
  const {training, validation} = data;
  const {activation, learningRate, batchSize, epochs, seed} = options;
  const images = training.labels.length + validation.labels.length;
  return [
    `Data      ${counted(images, 'image')} of ${training.size} pixels, ` +
      `${validation.labels.length.toLocaleString('en')} of them for validation`,
    `          ${options.data}`,
    `Network   ${training.size}-100-100-100-10, ${activation}`,
    `Training  SGD at ${learningRate}, batches of ${batchSize}, ` +
      `${counted(epochs, 'epoch')}, seed ${seed}`,
    `Backend   ${backend.name} (${backend.why})`,
  ].join('\n');
}

/** Describes the results. */
export function reportOf(metrics: Metrics, files: readonly string[]): string {
  return [
    tableOf(metrics.runs, metrics.epochs),
    '',
    wrap(sentenceOf(metrics.runs, metrics.activation), WIDTH),
    '',
    ...recalibratedOf(metrics),
    reloadedOf(metrics),
    ...written(files),
  ].join('\n');
}

/** Describes the results up to Ctrl-C. */
export function stopOf(metrics: Metrics, files: readonly string[]): string {
  const last = metrics.runs[metrics.runs.length - 1];
  if (last === undefined) return 'Stopped by Ctrl-C. Nothing was written.';
  const epochs = counted(last.loss.length, 'whole epoch');
  return [
    `Stopped by Ctrl-C after ${epochs} of ${last.norm}. Saved as it is:`,
    ...written(files),
  ].join('\n');
}

function recalibratedOf({runs}: Metrics): string[] {
  return runs.flatMap(({valAccuracy, valAccuracyRecalibrated: recalibrated}) =>
    recalibrated === null || recalibrated.length === 0
      ? []
      : [wrap(recalibratedSentenceOf(valAccuracy, recalibrated), WIDTH), ''],
  );
}

function written(files: readonly string[]): string[] {
  return files.map((file) => `  ${file}`);
}

function reloadedOf({runs}: Metrics): string {
  const other = runs.filter(({reloadedEqual}) => !reloadedEqual);
  const names = other.map(({norm}) => norm).join(', ');
  return other.length > 0
    ? `Saved. Loaded in a fresh process, these predict differently: ${names}`
    : 'Saved. Loaded in a fresh process, every prediction is the same, bit for bit:';
}
