import {
  concat1d,
  dispose,
  keep,
  type Rank,
  reshape,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import type {
  BatchStatistics,
  StandIn,
} from '../../layer_support/moving_average.js';
import {
  lastingStatistics,
  type PlacedStatistics,
  storeOf,
  usesBatch,
} from '../graph/statistics_layers.js';
import type {Batch} from '../../statistics/data_batches.js';
import type {GatheredStatistics} from '../../statistics/gathered_statistics.js';
import {whilePatched} from '../patch/patch_stock_layers.js';

/** Replacements for the statistics of some layers. */
export type StandIns = ReadonlyMap<PlacedStatistics, StandIn>;

/**
 * The batch statistics from one call of a normalization, and the sum they go
 * into.
 */
interface Seen {
  readonly sum: GatheredStatistics;
  readonly batch: BatchStatistics;
}

/**
 * Runs a batch forward with its own statistics, and adds them to the sums. All
 * layers' statistics are read back together.
 *
 * @param standIns Stand-ins for the layers this pass leaves out.
 */
export async function gatherBatch(
  model: LayersModel,
  {x}: Batch,
  sums: ReadonlyMap<PlacedStatistics, GatheredStatistics>,
  standIns: StandIns,
): Promise<void> {
  const seen: Seen[] = [];
  const gathering = [...sums].map(
    ([norm, sum]) => [norm, gatherInto(seen, norm, sum)] as const,
  );
  try {
    tidy(() => {
      withStandIns(new Map([...standIns, ...gathering]), () =>
        model.predictOnBatch(x),
      );
    });
    await read(seen);
  } finally {
    for (const {batch} of seen) dispose(tensorsOf(batch));
  }
}

/**
 * Runs a function with layers' statistics replaced. tf.js's own layers
 * compute through this package meanwhile.
 */
export function withStandIns<T>(standIns: StandIns, run: () => T): T {
  const stores = [...standIns].map(([{layer}, standIn]) => {
    const store = storeOf(layer);
    store.standIn = standIn;
    return store;
  });
  try {
    return whilePatched(run);
  } finally {
    for (const store of stores) store.standIn = undefined;
  }
}

/** A layer that trains with its moving statistics keeps using them. */
function gatherInto(
  seen: Seen[],
  {layer}: PlacedStatistics,
  sum: GatheredStatistics,
): StandIn {
  return {
    given: usesBatch(layer) ? undefined : lastingStatistics(layer),
    gather: (batch) => {
      tensorsOf(batch).forEach((tensor) => keep(tensor));
      seen.push({sum, batch});
    },
  };
}

function tensorsOf({mean, variance, count}: BatchStatistics): Tensor[] {
  return typeof count === 'number' ? [mean, variance] : [mean, variance, count];
}

async function read(seen: readonly Seen[]): Promise<void> {
  if (seen.length === 0) return;
  const packed = tidy(() => {
    const tensors = seen.flatMap(({batch}) => tensorsOf(batch));
    return concat1d(tensors.map((t) => reshape<Rank.R1>(t, [-1])));
  });
  const values = await packed.data();
  packed.dispose();
  let offset = 0;
  const next = (size: number): ArrayLike<number> =>
    values.subarray(offset, (offset += size));
  for (const {sum, batch} of seen) {
    const {size} = batch.mean;
    const [mean, variance] = [next(size), next(size)];
    const count =
      typeof batch.count === 'number'
        ? new Float64Array(size).fill(batch.count)
        : next(size);
    sum.add({mean, variance, count});
  }
}
