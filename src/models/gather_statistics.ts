import {dispose, tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {Statistics} from '../ops/moving_statistics.js';
import {received} from '../ops/received.js';
import {type PlacedBatchNorm, stateOf} from './batch_norms.js';
import {ensureBuilt} from './ensure_built.js';
import {
  batchesOf,
  type BatchOptions,
  countBatches,
  disposeBatch,
  type ModelData,
} from './data_batches.js';
import {type DataWatch, Progress} from './data_progress.js';
import {gatherBatch} from './gather_batch.js';
import {
  type ChannelStatistics,
  GatheredStatistics,
} from './gathered_statistics.js';
import {byDepth} from './norm_depths.js';
import type {StandIns} from './stand_ins.js';

/** How statistics are gathered. */
export interface GatherOptions extends BatchOptions, DataWatch {
  /**
   * Whether to go through the data once for each depth of batch normalization, so
   * that the cut into batches makes no difference. Defaults to false.
   */
  readonly exact?: boolean;
}

/** The statistics of each normalization's input over some data. */
export type FoundStatistics = ReadonlyMap<PlacedBatchNorm, ChannelStatistics>;

/**
 * Finds the mean and variance of what each batch normalization normalizes, by
 * running the model forward as in prediction, but with batch statistics.
 *
 * Nothing of the model is written. The layers are told to gather only while a
 * batch runs, which nothing can come between.
 *
 * @param norms Those whose statistics are wanted; others predict.
 * @param who The function that asks, for messages.
 */
export async function gatherStatistics(
  model: LayersModel,
  norms: readonly PlacedBatchNorm[],
  data: ModelData,
  options: GatherOptions,
  who: string,
): Promise<FoundStatistics> {
  ensureBuilt(model);
  const passes = options.exact === true ? byDepth(model, norms, who) : [norms];
  const batches = countBatches(data, model, options, who);
  const total = batches === undefined ? undefined : passes.length * batches;
  const progress = new Progress(options, total);
  const found = new Map<PlacedBatchNorm, ChannelStatistics>();
  const givens = new Map<PlacedBatchNorm, {given: Statistics}>();
  try {
    for (const pass of passes) {
      const gathered = await gatherPass(
        {model, norms: pass, data, options, givens, who},
        progress,
      );
      for (const [norm, statistics] of gathered) {
        found.set(norm, statistics);
        givens.set(norm, {given: toTensors(norm, statistics)});
      }
    }
  } finally {
    givens.forEach(({given}) => dispose([given.mean, given.variance]));
  }
  return found;
}

/** The statistics as a layer holds them. The caller disposes them. */
export function toTensors(
  {layer}: PlacedBatchNorm,
  {mean, variance}: ChannelStatistics,
): Statistics {
  const {shape} = stateOf(layer).average.read().mean;
  return {
    mean: tensor(Float32Array.from(mean), shape),
    variance: tensor(Float32Array.from(variance), shape),
  };
}

/** The statistics that a layer predicts with. */
export async function storedStatistics({
  layer,
}: PlacedBatchNorm): Promise<ChannelStatistics> {
  const {mean, variance} = stateOf(layer).average.read();
  return {
    mean: Float64Array.from(await mean.data()),
    variance: Float64Array.from(await variance.data()),
  };
}

interface Pass {
  readonly model: LayersModel;
  readonly norms: readonly PlacedBatchNorm[];
  readonly data: ModelData;
  readonly options: GatherOptions;
  /** What stands in for the normalizations that earlier passes were about. */
  readonly givens: StandIns;
  readonly who: string;
}

async function gatherPass(
  {model, norms, data, options, givens, who}: Pass,
  progress: Progress,
): Promise<Map<PlacedBatchNorm, ChannelStatistics>> {
  const channels = (norm: PlacedBatchNorm): number =>
    stateOf(norm.layer).average.read().mean.size;
  const sums = new Map(
    norms.map((norm) => [norm, new GatheredStatistics(channels(norm))]),
  );
  let examples = 0;
  progress.check();
  for await (const batch of batchesOf(data, model, options, who)) {
    try {
      if (batch.size > 0) await gatherBatch(model, batch, sums, givens);
    } finally {
      disposeBatch(batch);
    }
    examples += batch.size;
    await progress.advance();
  }
  if (examples === 0) {
    throw new Error(
      `${who}: the data has no examples. ${received('examples', examples)}`,
    );
  }
  const results = new Map<PlacedBatchNorm, ChannelStatistics>();
  for (const [norm, sum] of sums) {
    results.set(norm, sum.result(await storedStatistics(norm)));
  }
  return results;
}
