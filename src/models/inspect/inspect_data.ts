import {at} from '../../util/at.js';
import {dispose, type Scalar} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {
  isBatchNorm,
  type PlacedStatistics,
  stateOf,
  usesBatch,
} from '../graph/statistics_layers.js';
import {
  type Batch,
  batchesOf,
  disposeBatch,
} from '../../statistics/data_batches.js';
import {
  type FoundStatistics,
  type Gathering,
  storedStatistics,
  withStatistics,
} from '../data/gather_statistics.js';
import type {ChannelStatistics} from '../../statistics/gathered_statistics.js';
import type {Comparison, Prediction, Range, Scores} from './inspection.js';
import {type StandIns, withStandIns} from '../data/gather_batch.js';

/** Returns the range of some values; NaN if one of them is NaN. */
export function rangeOf(values: Iterable<number>): Range {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  return {min, max};
}

/** The square of the least deviation of a Normalization. */
const LEAST_VARIANCE = 1e-14;

/** Compares a layer's statistics with those of the data. */
export async function compareStatistics(
  norm: PlacedStatistics,
  data: ChannelStatistics,
): Promise<Comparison> {
  const {layer} = norm;
  const epsilon = isBatchNorm(layer) ? stateOf(layer).epsilon : LEAST_VARIANCE;
  const stored = await storedStatistics(norm);
  const gaps = data.mean.map((mean, c) => {
    const deviation = Math.sqrt(at(data.variance, c) + epsilon);
    return Math.abs(at(stored.mean, c) - mean) / deviation;
  });
  const factors = data.variance.map((variance, c) => {
    const factor = (at(stored.variance, c) + epsilon) / (variance + epsilon);
    return Math.max(factor, 1 / factor);
  });
  return {
    mean: rangeOf(data.mean),
    variance: rangeOf(data.variance),
    meanGap: rangeOf(gaps).max,
    varianceFactor: rangeOf(factors).max,
  };
}

/** Tells if a model is compiled, so that its loss is known. */
export function isCompiled(model: LayersModel): boolean {
  return (model.optimizer as unknown) != null;
}

/**
 * Measures a compiled model's predictions with its moving statistics and with
 * those of the data; undefined if the data turns out to have no labels.
 */
export async function comparePredictions(
  {model, data, options, who, progress}: Gathering,
  statistics: FoundStatistics,
): Promise<Prediction | undefined> {
  const names = distinct(model.metricsNames);
  const moving = new Averages(names);
  const ofData = new Averages(names);
  const taken = [...statistics].filter(([{layer}]) => usesBatch(layer));
  return withStatistics(new Map(taken), async (standIns) => {
    for await (const batch of batchesOf(data, model, options, who)) {
      try {
        if (batch.y === undefined) return undefined;
        if (batch.size === 0) continue;
        moving.add(await evaluate(model, batch), batch.size);
        ofData.add(await evaluate(model, batch, standIns), batch.size);
      } finally {
        disposeBatch(batch);
      }
      await progress.advance();
    }
    return {moving: moving.result(), data: ofData.result()};
  });
}

async function evaluate(
  model: LayersModel,
  {x, y = [], size}: Batch,
  standIns?: StandIns,
): Promise<number[]> {
  const run = (): Scalar | Scalar[] => model.evaluate(x, y, {batchSize: size});
  const scalars = [standIns ? withStandIns(standIns, run) : run()].flat();
  const values = await Promise.all(scalars.map((scalar) => scalar.data()));
  dispose(scalars);
  // For several outputs, tfjs returns running sums of their losses first; the
  // last of these is the model's loss, the first value that has a name.
  const named = values.slice(values.length - model.metricsNames.length);
  return named.map((value) => at(value, 0));
}

/** Returns the names, with a number after a repeated one. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let i = 1; seen.has(own); i++) {
      const numbered = `${name}_${i}`;
      if (!taken.has(numbered)) own = numbered;
    }
    seen.add(own);
    return own;
  });
}

/** Averages weighted by batch size. */
class Averages {
  private readonly sums: number[];
  private examples = 0;

  constructor(private readonly names: readonly string[]) {
    this.sums = names.map(() => 0);
  }

  add(values: readonly number[], size: number): void {
    this.examples += size;
    values.forEach((value, i) => {
      this.sums[i] = at(this.sums, i) + value * size;
    });
  }

  result(): Scores {
    const averages = this.sums.map((sum) => sum / this.examples);
    return Object.fromEntries(
      this.names.map((name, i) => [name, at(averages, i)]),
    );
  }
}
