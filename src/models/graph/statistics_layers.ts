import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {Normalization} from '../../../layers/normalization.js';
import {ADAPTED} from '../../layer_support/adapted_statistics.js';
import type {StatisticsStore} from '../../layer_support/moving_average.js';
import type {Statistics} from '../../ops/moving_statistics.js';
import {
  type AnyBatchNorm,
  isBatchNorm,
  learnsStatistics,
  ownStatistics,
  stateOf,
} from './batch_norms.js';
import {layersOf, type PlacedLayer} from './walk_layers.js';

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

/** Returns what keeps a layer's statistics. */
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
