import {join} from 'node:path';
import {dispose, type LayersModel} from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-normalization/node';
import type {Data} from './dataset.js';
import {InputError, reasonOf} from '../../tools/errors.js';
import type {RunMetrics} from './metrics.js';
import {createNetwork, type NormFactories, STOCK} from './network.js';
import {PACKAGE} from './norm_layers.js';
import type {Norm} from './norms.js';
import type {Options} from './options.js';
import type {Progress} from './progress.js';
import {Recalibrated} from './recalibrated.js';
import type {Stop} from './stop.js';
import {
  firstOf,
  type History,
  predictAll,
  type Tensors,
  train,
  trainEpoch,
} from './train.js';
import {Watch, type Watched} from './watch.js';

const STOCK_EPOCHS = 2;
const WARM_UP_BATCHES = 24;

/** The settings that all runs share. */
export interface Job {
  readonly options: Options;
  readonly data: Data;
  readonly tensors: Tensors;
  readonly stop: Stop;
  readonly progress: Progress;
}

/** A trained and saved network. */
export interface Trained {
  readonly metrics: RunMetrics;
  /** Predictions for the validation images. */
  readonly predictions: Float32Array;
}

/**
 * Trains the requested networks, one after another, and saves each. After
 * Ctrl-C the last one is saved as it is.
 *
 * @throws InputError if a model cannot be written.
 */
export async function trainAll(job: Job): Promise<Trained[]> {
  const trained: Trained[] = [];
  for (const norm of job.options.norm) {
    await warmUp(norm, PACKAGE, job);
    if (job.stop.requested) break;
    trained.push(await trainAndSave(norm, job));
  }
  return trained;
}

async function trainAndSave(norm: Norm, job: Job): Promise<Trained> {
  const {options, data, tensors} = job;
  const model = createNetwork(norm, data.training.size, options, PACKAGE);
  const watched = {label: norm, epochs: options.epochs, passing: false};
  const recalibrated = recalibratedFor(norm, job);
  const history = await trainWatched(model, watched, job, recalibrated);
  recalibrated?.dispose();
  // Saved at once, so that no later failure can lose it.
  await saveModel(model, join(options.out, norm));
  const predictions = predictAll(model, tensors.validation.xs);
  model.dispose();
  const {seconds, valAccuracyRecalibrated, ...lists} = history;
  const metrics = {
    norm,
    ...lists,
    valAccuracyRecalibrated: recalibrated ? valAccuracyRecalibrated : null,
    secondsPerEpoch: median(seconds),
    stockSecondsPerEpoch: await measureStock(norm, job),
    model: `${norm}/model.json`,
    reloadedEqual: null,
  };
  return {metrics, predictions};
}

function recalibratedFor(norm: Norm, job: Job): Recalibrated | undefined {
  const {options, data, tensors} = job;
  if (norm !== 'batch' || !options.recalibrate) return undefined;
  const twin = createNetwork(norm, data.training.size, options, PACKAGE);
  return new Recalibrated(twin, tensors, options.batchSize);
}

/** @returns null if Ctrl-C came before it was measured. */
async function measureStock(norm: Norm, job: Job): Promise<number | null> {
  if (job.stop.requested) return null;
  await warmUp(norm, STOCK, job);
  const {options, data} = job;
  const model = createNetwork(norm, data.training.size, options, STOCK);
  const watched = {label: 'stock', epochs: STOCK_EPOCHS, passing: true};
  const {seconds} = await trainWatched(model, watched, job);
  model.dispose();
  return seconds.length < STOCK_EPOCHS ? null : median(seconds);
}

/**
 * Trains another network of the same kind for a few batches, which compiles its
 * code; otherwise the first measurement would include that time.
 */
async function warmUp(
  norm: Norm,
  factories: NormFactories,
  job: Job,
): Promise<void> {
  const {options, data, tensors, stop} = job;
  const model = createNetwork(norm, data.training.size, options, factories);
  const images = Math.min(
    data.training.labels.length,
    WARM_UP_BATCHES * options.batchSize,
  );
  const some = firstOf(tensors.training, images);
  const order = Int32Array.from({length: images}, (_, i) => i);
  await trainEpoch(model, some, order, options.batchSize, () => stop.requested);
  dispose([some.xs, some.ys]);
  model.dispose();
}

async function trainWatched(
  model: LayersModel,
  watched: Omit<Watched, 'batches'>,
  {options, data, tensors, stop, progress}: Job,
  recalibrated?: Recalibrated,
): Promise<History> {
  const {batchSize, seed} = options;
  const {epochs} = watched;
  const batches = Math.ceil(data.training.labels.length / batchSize);
  const watch = new Watch(progress, {...watched, batches});
  const {onBatch, onEpoch} = watch;
  const schedule = {
    ...{epochs, batchSize, seed, stop, onBatch, onEpoch},
    recalibrated: recalibrated?.accuracyOf.bind(recalibrated),
  };
  const history = await train(model, tensors, schedule);
  watch.end();
  return history;
}

/** A single slow epoch does not change the median. */
function median(numbers: readonly number[]): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] ?? NaN;
  const high = sorted[Math.ceil(middle)] ?? NaN;
  return (low + high) / 2;
}

async function saveModel(model: LayersModel, folder: string): Promise<void> {
  try {
    await model.save(fileSystem(folder));
  } catch (error) {
    // The error's message names the folder.
    throw new InputError(reasonOf(error));
  }
}
