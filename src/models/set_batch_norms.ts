import type {LayersModel} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../layers/batch_norm.js';
import {
  checkStatisticsMode,
  type StatisticsMode,
} from '../layer_support/batch_norm_call.js';
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
import {checkModel} from './graph/live_model.js';

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

const FREEZE = 'freezeBatchNorm';

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
  checkModel(model, FREEZE);
  const {affine = false} = takeOptions(options, {affine: checkBoolean}, FREEZE);
  warnOfHidden(model, FREEZE);
  const norms = batchNormsOf(model);
  for (const norm of norms) {
    if (affine) onlyOurs(norm, FREEZE, 'affine', affine);
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

/**
 * Sets the `statistics` property of every BatchNorm of a model, through nested
 * models: `'batch'`, for example, for a GAN or for style transfer.
 *
 * ```js
 * const generator = tf.sequential({layers: [batchNorm({inputShape: [8]})]});
 * setStatistics(generator, 'batch');
 * ```
 *
 * @param mode `'auto'`: the batch's in training and the moving ones in
 *   prediction. `'batch'`: the batch's in both. `'moving'`: the moving ones in
 *   both.
 * @returns The number of layers set.
 * @throws Error if the mode is none of these, or if the model has tf.js's own
 *   BatchNormalization, which has no such property. Then nothing is set.
 */
export function setStatistics(
  model: LayersModel,
  mode: StatisticsMode,
  ...none: []
): number {
  checkModel(model, 'setStatistics');
  refuseOptions(none, 'setStatistics');
  checkStatisticsMode(mode, 'mode', 'setStatistics');
  warnOfHidden(model, 'setStatistics');
  const norms = batchNormsOf(model).map((norm) =>
    onlyOurs(norm, 'setStatistics', 'mode', mode),
  );
  for (const layer of norms) layer.statistics = mode;
  return norms.length;
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
    FREEZE,
    `${path} is tf.js's own BatchNormalization, which keeps updating ` +
      'its statistics when frozen; call patchStockLayers() first, or ' +
      `convertModel(model, {to: 'normalization'})`,
    'model',
    path,
  );
}

/** @throws Error if it is tf.js's own, which has no choice of statistics. */
function onlyOurs(
  {layer, path}: PlacedBatchNorm,
  who: string,
  argument: string,
  value: unknown,
): BatchNorm {
  if (layer instanceof BatchNorm) return layer;
  throw refusal(
    who,
    `${path} is tf.js's own BatchNormalization, which has no choice of ` +
      `statistics; convertModel(model, {to: 'normalization'}) makes it a ` +
      'BatchNorm',
    argument,
    value,
  );
}
