import type {layers, LayersModel, LayerVariable} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../../layers/batch_norm.js';
import {
  type BatchNormState,
  isFrozen,
  STATE,
} from '../../layer_support/batch_norm_call.js';
import type {Statistics} from '../../ops/moving_statistics.js';
import {stockState} from '../patch/patched_layers.js';
import {
  isStockBatchNormalization,
  type StockBatchNormalization,
} from '../patch/stock_layers.js';
import {listed} from '../../util/listed.js';
import {layersOf, type PlacedLayer} from './walk_layers.js';

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
  return state.statistics !== 'moving' && !isFrozen(state);
}

/**
 * Returns the statistics that a layer normalizes with and never updates, if
 * any.
 */
export function ownStatistics(layer: AnyBatchNorm): Statistics | undefined {
  const {statistics, average} = stateOf(layer);
  return statistics === 'batch' ? undefined : average.read();
}
