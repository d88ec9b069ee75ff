import type {StandIn} from '../../layer_support/moving_average.js';
import {type PlacedBatchNorm, stateOf} from '../graph/batch_norms.js';
import {whilePatched} from '../patch/patch_stock_layers.js';

/** Replacements for the moving averages of some layers. */
export type StandIns = ReadonlyMap<PlacedBatchNorm, StandIn>;

/**
 * Runs a function with layers' moving averages replaced. tf.js's own layers
 * compute through this package meanwhile.
 */
export function withStandIns<T>(standIns: StandIns, run: () => T): T {
  const averages = [...standIns].map(([{layer}, standIn]) => {
    const {average} = stateOf(layer);
    average.standIn = standIn;
    return average;
  });
  try {
    return whilePatched(run);
  } finally {
    for (const average of averages) average.standIn = undefined;
  }
}
