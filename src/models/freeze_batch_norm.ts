import type {LayersModel} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../layers/batch_norm.js';
import type {StatisticsMode} from '../layer_support/batch_norm_call.js';
import {
  checkBoolean,
  refuseOptions,
  takeOptions,
} from '../layer_support/options.js';
import {refusal} from '../util/received.js';
import {
  type AnyBatchNorm,
  batchNormsOf,
  warnOfHidden,
  type PlacedBatchNorm,
} from './graph/statistics_layers.js';
import {arePatched} from './patch/patch_stock_layers.js';
import {onlyOurs} from './set_statistics.js';
import {checkModel} from './graph/check_model.js';

/** Options of {@link freezeBatchNorm}. */
export interface FreezeOptions {
  /** If true, gamma and beta still train. Defaults to false. */
  readonly affine?: boolean;
}

/** A layer's settings before it was frozen here. */
interface Thawed {
  readonly trainable: boolean;
  readonly mode: StatisticsMode;
}

const WHO = 'freezeBatchNorm';

const thawed = new WeakMap<AnyBatchNorm, Thawed>();

/**
 * Freezes every BatchNorm of a model, through nested models: from now on they
 * use their moving statistics in training too, and leave them unchanged. Use it
 * to fine-tune a trained model on little data or in small batches, whose
 * statistics would replace better ones.
 *
 * By default `trainable` becomes false, which freezes gamma and beta as well;
 * with `affine` they train, and only `statistics` becomes `'moving'`. As always
 * in tf.js, compile the model afterwards. {@link unfreezeBatchNorm} undoes it.
 *
 * ```js
 * const base = tf.sequential({layers: [batchNorm({inputShape: [4]})]});
 * freezeBatchNorm(base);
 * ```
 *
 * @param options `affine` (false): if true, gamma and beta still train.
 * @returns The number of layers frozen.
 * @throws Error if an option is unknown, if `affine` is not a boolean, or if
 *   the model has tf.js's own BatchNormalization, which trains even when frozen
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
      mode: layer instanceof BatchNorm ? layer.statistics : 'auto',
    });
    if (affine && layer instanceof BatchNorm) layer.statistics = 'moving';
    else layer.trainable = false;
  }
  return norms.length;
}

/**
 * Undoes {@link freezeBatchNorm}: restores every BatchNorm of the model,
 * through nested models. A layer that it did not freeze stays as it is; so does
 * a model loaded since. Compile the model afterwards.
 *
 * ```js
 * const base = tf.sequential({layers: [batchNorm({inputShape: [4]})]});
 * freezeBatchNorm(base, {affine: true});
 * unfreezeBatchNorm(base);
 * ```
 *
 * @returns The number of layers restored.
 * @throws Error if it is given options; it has none.
 */
export function unfreezeBatchNorm(model: LayersModel, ...none: []): number {
  checkModel(model, 'unfreezeBatchNorm');
  refuseOptions(none, 'unfreezeBatchNorm');
  return batchNormsOf(model).filter(({layer}) => thaw(layer)).length;
}

/** @returns True if it was frozen here. */
function thaw(layer: AnyBatchNorm): boolean {
  const before = thawed.get(layer);
  if (before === undefined) return false;
  thawed.delete(layer);
  layer.trainable = before.trainable;
  if (layer instanceof BatchNorm) layer.statistics = before.mode;
  return true;
}

function checkFreezes({layer, path}: PlacedBatchNorm): void {
  if (layer instanceof BatchNorm || arePatched()) return;
  throw refusal(
    WHO,
    `${path} is tf.js's own BatchNormalization, which keeps updating ` +
      'its statistics when frozen; call patchStockLayers() first, or ' +
      `convertModel(model, {to: 'normalization'})`,
    'model',
    path,
  );
}
