import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {NormLayer} from '../../layer_support/norm_layer.js';
import type {Axes} from '../../ops/axes.js';
import {
  isAdaptable,
  isBatchNorm,
  stateOf,
  statisticsLayersOf,
  warnOfHidden,
} from '../graph/statistics_layers.js';
import {
  checkModel,
  ensureBuilt,
  layersOf,
  type PlacedLayer,
} from '../graph/live_model.js';
import {mayHaveLabels, type ModelData} from '../../statistics/data_batches.js';
import {
  type GatherOptions,
  gatherStatistics,
  startGathering,
  takeGatherOptions,
} from '../data/gather_statistics.js';
import {
  comparePredictions,
  compareStatistics,
  isCompiled,
  rangeOf,
} from './inspect_data.js';
import {
  adaptedProblems,
  comparisonProblems,
  explain,
  statisticsProblems,
  weightProblems,
  type WeightValues,
} from './inspect_problems.js';
import type {
  Comparison,
  Inspection,
  InspectionRow,
  Prediction,
} from './inspection.js';
import {isStockLayerNormalization} from '../patch/stock_layers.js';

/** Options of {@link inspect}, all of which concern the data. */
export type InspectOptions = GatherOptions;

const WHO = 'inspect';

/**
 * Examines every normalization layer of a model, through nested models, and
 * reports problems: weights that are not finite, channels that are zeroed,
 * moving statistics that have never moved or are still close to their initial
 * values, a Normalization that was never adapted.
 *
 * With data it also finds the mean and variance of the input of each batch
 * normalization and each Normalization, as `recalibrate` does, and compares those of
 * the layer with them; with labels and a compiled model, it also measures the loss
 * and the metrics with both. That explains why a model may be good in training and poor in
 * prediction: training uses the statistics of each batch, prediction the moving
 * ones.
 *
 * The model does not change. `formatInspection` makes a table of the result.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 2, inputShape: [3]}));
 * model.add(batchNorm({name: 'norm'}));
 * model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
 * const [x, y] = [tf.randomNormal([64, 3], 5), tf.ones([64, 2])];
 * const inspection = await inspect(model, [x, y]);
 * const [{layer, weights, problems}] = inspection;
 * console.log(layer, weights.gamma.max, problems);
 * console.log(formatInspection(inspection));
 * ```
 *
 * @param data As for `recalibrate`; `[x, y]` or `{xs, ys}` to measure the loss.
 * @param options `batchSize` (32), for tensors. `batches` (all): the most
 *   batches to use. `exact` (false): a pass for each depth of batch
 *   normalization, so that the batch size makes no difference. `onProgress`:
 *   called with `{done, total}` after every batch. `signal`: an AbortSignal
 *   that cancels.
 * @returns A row for each layer, `{layer, kind, axis, weights, problems,
 *   data}`, and beside the rows, as properties, `prediction` and `explanation`.
 * @throws Error if an option is unknown or invalid, if a layer has not been
 *   built, or if the data is empty or does not fit the model.
 */
export async function inspect(
  model: LayersModel,
  data?: ModelData,
  options: InspectOptions = {},
): Promise<Inspection> {
  checkModel(model, WHO);
  const checked = takeGatherOptions(options, WHO);
  ensureBuilt(model);
  warnOfHidden(model, WHO);
  const seen = data && (await compareWith(model, data, checked));
  const rows: InspectionRow[] = [];
  const ofBatchNorms: InspectionRow[] = [];
  for (const placed of layersOf(model)) {
    if (!isNormalization(placed.layer)) continue;
    const row = await rowOf(placed, seen?.comparisons.get(placed.layer));
    rows.push(row);
    if (isBatchNorm(placed.layer)) ofBatchNorms.push(row);
  }
  const prediction = seen?.prediction;
  const explanation = explain(ofBatchNorms, prediction);
  return Object.assign(rows, {
    ...(prediction && {prediction}),
    ...(explanation && {explanation}),
  });
}

/** Findings from data about a model. */
interface Seen {
  readonly comparisons: ReadonlyMap<layers.Layer, Comparison>;
  readonly prediction: Prediction | undefined;
}

async function compareWith(
  model: LayersModel,
  data: ModelData,
  options: GatherOptions,
): Promise<Seen> {
  const canCompare = isCompiled(model) && mayHaveLabels(data, model, WHO);
  const gathering = startGathering(
    model,
    statisticsLayersOf(model),
    data,
    options,
    WHO,
    {more: canCompare ? 1 : 0},
  );
  const found = await gatherStatistics(gathering);
  const comparisons = new Map<layers.Layer, Comparison>();
  for (const [norm, statistics] of found) {
    comparisons.set(norm.layer, await compareStatistics(norm, statistics));
  }
  const prediction = canCompare
    ? await comparePredictions(gathering, found)
    : undefined;
  return {comparisons, prediction};
}

function isNormalization(layer: layers.Layer): boolean {
  return (
    layer instanceof NormLayer ||
    isBatchNorm(layer) ||
    isStockLayerNormalization(layer)
  );
}

async function rowOf(
  {layer, path}: PlacedLayer,
  comparison: Comparison | undefined,
): Promise<InspectionRow> {
  const weights = await valuesOf(layer);
  const ranges = [...weights].map(
    ([name, values]) => [name, rangeOf(values)] as const,
  );
  const {axis} = layer.getConfig() as {axis?: Axes | null};
  return {
    layer: path,
    kind: layer.getClassName(),
    ...(axis != null && {axis}),
    weights: Object.fromEntries(ranges),
    problems: [
      ...weightProblems(weights),
      ...(isBatchNorm(layer)
        ? statisticsProblems(weights, stateOf(layer))
        : []),
      ...(isAdaptable(layer) ? adaptedProblems(weights) : []),
      ...(comparison ? comparisonProblems(comparison, isBatchNorm(layer)) : []),
    ],
    ...(comparison && {data: comparison}),
  };
}

async function valuesOf(layer: layers.Layer): Promise<WeightValues> {
  const values = new Map<string, Float32Array>();
  for (const weight of layer.weights) {
    const name = weight.originalName.split('/').pop() ?? weight.originalName;
    values.set(name, Float32Array.from(await weight.read().data()));
  }
  return values;
}
