import type {LayersModel} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../layers/batch_norm.js';
import type {StatisticsMode} from '../layer_support/batch_norm_call.js';
import {
  checkBoolean,
  refuseOptions,
  takeOptions,
} from '../layer_support/options.js';
import {received} from '../util/received.js';
import {
  type AnyBatchNorm,
  batchNormsOf,
  warnOfHidden,
  type PlacedBatchNorm,
} from './graph/batch_norms.js';
import {arePatched} from './patch/patch_stock_layers.js';
import {onlyOurs} from './set_statistics.js';
import {checkModel} from './graph/check_model.js';

/** Options of {@link freezeBatchNorm}. */
export interface FreezeOptions {
  /** Whether gamma and beta still train. Defaults to false. */
  readonly affine?: boolean;
}

/** How a layer was before it was frozen here. */
interface Thawed {
  readonly trainable: boolean;
  readonly statistics: StatisticsMode;
}

const WHO = 'freezeBatchNorm';

const thawed = new WeakMap<AnyBatchNorm, Thawed>();

/**
 * Freezes every BatchNorm of a model, through nested models: from now on they
 * predict, in training too, and their moving statistics stay as they are. That is
 * how a trained model is tuned to little data, or with small batches, whose
 * statistics would replace better ones.
 *
 * By default `trainable` becomes false, so that gamma and beta stay as well; with
 * `affine` they train, and only `statistics` becomes `'moving'`. As always in
 * tf.js, compile the model after it. {@link unfreezeBatchNorm} undoes it.
 *
 * ```js
 * const base = tf.sequential({layers: [batchNorm({inputShape: [4]})]});
 * freezeBatchNorm(base);
 * ```
 *
 * @param options `affine` (false): whether gamma and beta still train.
 * @returns How many layers are frozen.
 * @throws Error if an option is unknown, if `affine` is no boolean, or if the model has a
 *   BatchNormalization of tf.js's own: that one trains although it is frozen
 *   unless `patchStockLayers` has been called, and has no `statistics` for
 *   `affine`. Then nothing is frozen.
 */
export function freezeBatchNorm(
  model: LayersModel,
  options: FreezeOptions = {},
): number {
  checkModel(model, WHO);
  const {affine = false} = takeOptions(options, {affine: checkBoolean}, WHO);
  warnOfHidden(model, WHO);
  const norms = batchNormsOf(model);
  for (const norm of norms) {
    if (affine) onlyOurs(norm, WHO, 'affine', affine);
    else checkFreezes(norm);
  }
  for (const {layer} of norms) {
    thaw(layer);
    thawed.set(layer, {
      trainable: layer.trainable,
      statistics: layer instanceof BatchNorm ? layer.statistics : 'auto',
    });
    if (affine && layer instanceof BatchNorm) layer.statistics = 'moving';
    else layer.trainable = false;
  }
  return norms.length;
}

/**
 * Undoes {@link freezeBatchNorm}: every BatchNorm of the model, through nested
 * models, is what it was before. One that was not frozen by it stays as it is;
 * so does a model that has been loaded since. Compile the model after it.
 *
 * ```js
 * const base = tf.sequential({layers: [batchNorm({inputShape: [4]})]});
 * freezeBatchNorm(base, {affine: true});
 * unfreezeBatchNorm(base);
 * ```
 *
 * @returns How many layers are no longer frozen by it.
 * @throws Error if it is given options; it has none.
 */
export function unfreezeBatchNorm(model: LayersModel, ...none: []): number {
  checkModel(model, 'unfreezeBatchNorm');
  refuseOptions(none, 'unfreezeBatchNorm');
  return batchNormsOf(model).filter(({layer}) => thaw(layer)).length;
}

/** @returns Whether it was frozen here. */
function thaw(layer: AnyBatchNorm): boolean {
  const before = thawed.get(layer);
  if (before === undefined) return false;
  thawed.delete(layer);
  layer.trainable = before.trainable;
  if (layer instanceof BatchNorm) layer.statistics = before.statistics;
  return true;
}

function checkFreezes({layer, path}: PlacedBatchNorm): void {
  if (layer instanceof BatchNorm || arePatched()) return;
  throw new Error(
    `${WHO}: ${path} is tf.js's own BatchNormalization, which goes on moving ` +
      `its statistics when it is frozen; call patchStockLayers() first, or ` +
      `convertModel(model, {to: 'normalization'}). ` +
      received('model', path),
  );
}
