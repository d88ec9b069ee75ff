import {dispose, tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkSignal,
  takeOptions,
} from '../../layer_support/options.js';
import {watchLayer} from '../../layer_support/own_mask.js';
import type {Statistics} from '../../ops/moving_statistics.js';
import {refusal} from '../../util/received.js';
import {
  byDepth,
  isAdaptable,
  isBatchNorm,
  type PlacedStatistics,
  storeOf,
  usesBatch,
} from '../graph/statistics_layers.js';
import {ensureBuilt} from '../graph/live_model.js';
import {
  batchesOf,
  type BatchOptions,
  countBatches,
  disposeBatch,
  type ModelData,
} from '../../statistics/data_batches.js';
import {type DataWatch, Progress} from '../../statistics/data_progress.js';
import {gatherBatch, type StandIns} from './gather_batch.js';
import {
  type ChannelStatistics,
  type FoundChannels,
  GatheredStatistics,
} from '../../statistics/gathered_statistics.js';

/** Options of gathering statistics. */
export interface GatherOptions extends BatchOptions, DataWatch {
  /**
   * If true, goes through the data once for each depth of batch normalization,
   * so that the batch size makes no difference. Defaults to false.
   */
  readonly exact?: boolean;
}

const CHECKS = {
  batchSize: checkCount,
  batches: checkCount,
  exact: checkBoolean,
  onProgress: checkFunction,
  signal: checkSignal,
};

/**
 * Checks the options and returns them.
 *
 * @throws Error if one is unknown or invalid.
 */
export function takeGatherOptions(
  options: GatherOptions,
  who: string,
): GatherOptions {
  return takeOptions(options, CHECKS, who);
}

/** The statistics of each normalization's input over some data. */
export type FoundStatistics = ReadonlyMap<PlacedStatistics, FoundChannels>;

/** Statistics about to be gathered. */
export interface Gathering {
  readonly model: LayersModel;
  readonly data: ModelData;
  readonly options: GatherOptions;
  /** The function that gathers, for messages. */
  readonly who: string;
  /** The layers whose statistics each pass through the data gathers. */
  readonly passes: ReadonlyArray<readonly PlacedStatistics[]>;
  readonly progress: Progress;
  /** If true, a Normalization takes its statistics before those behind it are gathered. */
  readonly adapts: boolean;
}

/** Settings of {@link startGathering}. */
export interface Gatherings {
  /** The number of passes the caller makes afterwards. Defaults to 0. */
  readonly more?: number;
  /**
   * If true, a Normalization takes the statistics of its input before those of the layers
   * behind it are gathered, exact or not. Defaults to false: it stays as it is.
   */
  readonly adapts?: boolean;
}

/**
 * Checks all arguments, and plans the passes through the data.
 *
 * @param norms The layers to gather for; others use their moving statistics.
 */
export function startGathering(
  model: LayersModel,
  norms: readonly PlacedStatistics[],
  data: ModelData,
  options: GatherOptions,
  who: string,
  {more = 0, adapts = false}: Gatherings = {},
): Gathering {
  ensureBuilt(model);
  // tf.js's own layers may have been called before they were watched.
  for (const {layer} of norms) {
    if (isBatchNorm(layer)) watchLayer(layer);
  }
  const passes =
    options.exact === true
      ? byDepth(model, norms, who)
      : adapts
        ? afterAdapting(model, norms, who)
        : [norms];
  const batches = countBatches(data, model, options, who);
  const total = batches && (passes.length + more) * batches;
  const progress = new Progress(options, total);
  return {model, data, options, who, passes, progress, adapts};
}

/**
 * Plans passes in which each Normalization adapts before the layers behind it, and then all
 * batch normalizations together. These use the statistics of batches all along, as in
 * training.
 */
function afterAdapting(
  model: LayersModel,
  norms: readonly PlacedStatistics[],
  who: string,
): PlacedStatistics[][] {
  const adaptable = norms.filter(({layer}) => isAdaptable(layer));
  if (adaptable.length === 0) return [[...norms]];
  const others = norms.filter(({layer}) => !isAdaptable(layer));
  const passes = byDepth(model, adaptable, who).map((pass) => [
    ...pass,
    ...others,
  ]);
  return others.length > 0 ? [...passes, others] : passes;
}

/**
 * Finds the mean and variance of each batch normalization's input, by running
 * the model forward as in prediction, but with batch statistics where a layer
 * trains with them.
 *
 * The model is not changed. Layers gather only while a batch runs, which is
 * synchronous, so no other call can interfere.
 */
export async function gatherStatistics(
  gathering: Gathering,
): Promise<FoundStatistics> {
  const found = new Map<PlacedStatistics, FoundChannels>();
  for (const pass of gathering.passes) {
    const taken = [...found].filter(
      ([{layer}]) => gathering.adapts || usesBatch(layer),
    );
    const gathered = await withStatistics(new Map(taken), (standIns) =>
      gatherPass(gathering, pass, standIns),
    );
    gathered.forEach((statistics, norm) => found.set(norm, statistics));
  }
  return found;
}

/** Runs a function with these statistics in place of the layers' own. */
export async function withStatistics<T>(
  statistics: FoundStatistics,
  run: (standIns: StandIns) => Promise<T>,
): Promise<T> {
  const standIns = [...statistics].map(
    ([norm, values]) => [norm, {given: toTensors(norm, values)}] as const,
  );
  try {
    return await run(new Map(standIns));
  } finally {
    for (const [, {given}] of standIns) {
      dispose([given.mean, given.variance]);
    }
  }
}

/** The statistics as a layer holds them. The caller disposes them. */
export function toTensors(
  {layer}: PlacedStatistics,
  {mean, variance}: ChannelStatistics,
): Statistics {
  const {shape} = storeOf(layer).read().mean;
  return {
    mean: tensor(Float32Array.from(mean), shape),
    variance: tensor(Float32Array.from(variance), shape),
  };
}

/** The statistics that a layer predicts with. */
export async function storedStatistics({
  layer,
}: PlacedStatistics): Promise<ChannelStatistics> {
  const {mean, variance} = storeOf(layer).read();
  return {
    mean: Float64Array.from(await mean.data()),
    variance: Float64Array.from(await variance.data()),
  };
}

async function gatherPass(
  {model, data, options, who, progress}: Gathering,
  norms: readonly PlacedStatistics[],
  standIns: StandIns,
): Promise<FoundStatistics> {
  const channels = (norm: PlacedStatistics): number =>
    storeOf(norm.layer).read().mean.size;
  const sums = new Map(
    norms.map((norm) => [norm, new GatheredStatistics(channels(norm))]),
  );
  let examples = 0;
  progress.check();
  for await (const batch of batchesOf(data, model, options, who)) {
    try {
      if (batch.size > 0) await gatherBatch(model, batch, sums, standIns);
    } finally {
      disposeBatch(batch);
    }
    examples += batch.size;
    await progress.advance();
  }
  if (examples === 0) {
    throw refusal(who, 'the data has no examples', 'examples', examples);
  }
  const results = new Map<PlacedStatistics, FoundChannels>();
  for (const [norm, sum] of sums) {
    results.set(norm, sum.result(await storedStatistics(norm)));
  }
  return results;
}
