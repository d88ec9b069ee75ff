import type {StandIn} from '../../layer_support/moving_average.js';
import {type PlacedStatistics, storeOf} from '../graph/statistics_layers.js';
import {whilePatched} from '../patch/patch_stock_layers.js';

/** Replacements for the statistics of some layers. */
export type StandIns = ReadonlyMap<PlacedStatistics, StandIn>;

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
