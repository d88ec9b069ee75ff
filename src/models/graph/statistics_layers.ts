import type {
  layers,
  LayersModel,
  LayerVariable,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../../layers/batch_norm.js';
import {Normalization} from '../../../layers/normalization.js';
import {ADAPTED} from '../../layer_support/adapted_statistics.js';
import {
  type BatchNormState,
  isFrozen,
  STATE,
} from '../../layer_support/batch_norm_call.js';
import type {StatisticsStore} from '../../layer_support/moving_average.js';
import type {Statistics} from '../../ops/moving_statistics.js';
import {listed} from '../../util/listed.js';
import {refusal} from '../../util/received.js';
import {stockState} from '../patch/patched_layers.js';
import {
  isStockBatchNormalization,
  type StockBatchNormalization,
} from '../patch/stock_layers.js';
import {
  innerLayers,
  isModel,
  layersOf,
  type PlacedLayer,
} from './live_model.js';

/** A batch normalization: this package's, or tf.js's own. */
export type AnyBatchNorm = BatchNorm | (layers.Layer & StockBatchNormalization);

/** A batch normalization of a model: this package's, or tf.js's own. */
export interface PlacedBatchNorm extends PlacedLayer {
  readonly layer: AnyBatchNorm;
}

/** Returns every batch normalization of a model, through nested models. */
export function batchNormsOf(model: LayersModel): PlacedBatchNorm[] {
  return layersOf(model).flatMap(({layer, path}) =>
    isBatchNorm(layer) ? [{layer, path}] : [],
  );
}

/** Weights that only a normalization has. */
const STATISTICS = /(^|\/)moving_(mean|variance)$/;

/**
 * Warns of layers whose weights show that they hold a batch normalization which
 * cannot be found: one in a private field, for example.
 */
export function warnOfHidden(model: LayersModel, who: string): void {
  const found = new Set<LayerVariable>(
    batchNormsOf(model).flatMap(({layer}) => layer.weights),
  );
  const hiding = layersOf(model).filter(({layer}) =>
    layer.weights.some(
      (weight) => STATISTICS.test(weight.originalName) && !found.has(weight),
    ),
  );
  if (hiding.length === 0) return;
  const names = hiding.map(
    ({layer, path}) => `${layer.getClassName()} ${path}`,
  );
  console.warn(
    `${who}: these layers have moving statistics, but no normalization was found in ` +
      `them; keep it in a property: ${listed(names)}`,
  );
}

/** Tells if a layer is a batch normalization, this package's or tf.js's own. */
export function isBatchNorm(layer: layers.Layer): layer is AnyBatchNorm {
  return layer instanceof BatchNorm || isStockBatchNormalization(layer);
}

/**
 * Returns the parts of a batch normalization.
 *
 * @throws Error if it has not been built.
 */
export function stateOf(layer: AnyBatchNorm): BatchNormState {
  if (layer instanceof BatchNorm) return layer[STATE]();
  const [spec] = layer.inputSpec;
  return stockState(layer, spec?.ndim ?? 2);
}

/** Tells if a layer trains with batch statistics, and averages them. */
export function learnsStatistics(layer: AnyBatchNorm): boolean {
  const state = stateOf(layer);
  return state.mode !== 'moving' && !isFrozen(state);
}

/**
 * Returns the statistics that a layer normalizes with and never updates, if
 * any.
 */
export function ownStatistics(layer: AnyBatchNorm): Statistics | undefined {
  const {mode, average} = stateOf(layer);
  return mode === 'batch' ? undefined : average.read();
}

/** A layer with statistics of data: a batch normalization, or one that adapts. */
export type StatisticsLayer = AnyBatchNorm | Normalization;

/** A layer with statistics of data, and its place in the model. */
export interface PlacedStatistics extends PlacedLayer {
  readonly layer: StatisticsLayer;
}

/** Returns every layer with statistics of data, through nested models. */
export function statisticsLayersOf(model: LayersModel): PlacedStatistics[] {
  return layersOf(model).flatMap(({layer, path}) =>
    hasStatistics(layer) ? [{layer, path}] : [],
  );
}

/** Tells if a layer has statistics of data that it was not given as options. */
export function hasStatistics(layer: layers.Layer): layer is StatisticsLayer {
  return isBatchNorm(layer) || isAdaptable(layer);
}

/** Tells if a layer is a Normalization whose statistics `adapt` finds. */
export function isAdaptable(layer: layers.Layer): layer is Normalization {
  return layer instanceof Normalization && layer[ADAPTED]() !== undefined;
}

/** Returns the store of a layer's statistics. */
export function storeOf(layer: StatisticsLayer): StatisticsStore {
  if (!(layer instanceof Normalization)) return stateOf(layer).average;
  const store = layer[ADAPTED]();
  if (store !== undefined) return store;
  throw new Error(`${layer.name} has no statistics of its own`);
}

/** Tells if a layer uses the batch's statistics in training. */
export function usesBatch(layer: StatisticsLayer): boolean {
  return isBatchNorm(layer) && learnsStatistics(layer);
}

/** Returns the statistics that a layer always normalizes with, if any. */
export function lastingStatistics(
  layer: StatisticsLayer,
): Statistics | undefined {
  return isBatchNorm(layer) ? ownStatistics(layer) : storeOf(layer).read();
}

/** Tells if recalibrating sets a layer's statistics; frozen ones keep theirs. */
export function isRecalibrated(layer: StatisticsLayer): boolean {
  return isBatchNorm(layer) ? learnsStatistics(layer) : layer.trainable;
}

/**
 * The number of layers with statistics of data before each layer, on the longest path to
 * it.
 */
type Depths = Map<layers.Layer, number>;

/**
 * Groups layers with statistics of data by depth, in ascending order: the statistics
 * of each depend only on those of lower depths.
 *
 * @param who The calling function, for the message.
 * @throws Error if one of them comes after itself.
 */
export function byDepth(
  model: LayersModel,
  norms: readonly PlacedStatistics[],
  who: string,
): PlacedStatistics[][] {
  const depths = depthsOf(model, who);
  const groups = new Map<number, PlacedStatistics[]>();
  for (const norm of norms) {
    const depth = depths.get(norm.layer) ?? 0;
    groups.set(depth, [...(groups.get(depth) ?? []), norm]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/**
 * Finds the depth of each layer. A layer after one that is used twice comes after
 * the deeper of the two uses.
 */
function depthsOf(model: LayersModel, who: string): Depths {
  let depths: Depths = new Map();
  for (;;) {
    const deeper = new Map(depths);
    enterModel(model, 0, deeper);
    const moved = [...deeper].find(([norm, at]) => depths.get(norm) !== at);
    if (moved === undefined) return depths;
    const [{name}, depth] = moved;
    if (depth >= deeper.size) {
      throw refusal(
        who,
        `${name} is used again after itself, so its statistics ` +
          'depend on themselves and cannot be found exactly',
        'exact',
        true,
      );
    }
    depths = deeper;
  }
}

/**
 * Enters the depths of a model's layers.
 *
 * @param depth The number of layers with statistics before the model's inputs.
 * @return The number before its outputs.
 */
function enterModel(model: LayersModel, depth: number, depths: Depths): number {
  const before = new Map(model.inputs.map(({id}) => [id, depth]));
  const deepest = (tensors: readonly SymbolicTensor[]): number =>
    Math.max(depth, ...tensors.map(({id}) => before.get(id) ?? depth));
  for (const {outboundLayer, inputTensors, outputTensors} of callsOf(model)) {
    const after = enterLayer(outboundLayer, deepest(inputTensors), depths);
    for (const {id} of outputTensors) before.set(id, after);
  }
  return deepest(model.outputs);
}

function enterLayer(
  layer: layers.Layer,
  depth: number,
  depths: Depths,
): number {
  if (isModel(layer)) return enterModel(layer, depth, depths);
  if (hasStatistics(layer)) {
    const deepest = Math.max(depth, depths.get(layer) ?? 0);
    depths.set(layer, deepest);
    return deepest + 1;
  }
  const inner = innerLayers(layer).map((each) =>
    enterLayer(each, depth, depths),
  );
  return Math.max(depth, ...inner);
}

/** The calls of a model's layers, each after the calls that make its inputs. */
function callsOf({nodesByDepth}: LayersModel): LayersModel['nodesByDepth'][''] {
  return Object.keys(nodesByDepth)
    .map(Number)
    .sort((a, b) => b - a)
    .flatMap((depth) => nodesByDepth[depth] ?? []);
}
