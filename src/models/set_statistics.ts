import type {LayersModel} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../layers/batch_norm.js';
import {
  checkStatisticsMode,
  type StatisticsMode,
} from '../layer_support/batch_norm_call.js';
import {refuseOptions} from '../layer_support/options.js';
import {refusal} from '../util/received.js';
import {
  batchNormsOf,
  type PlacedBatchNorm,
  warnOfHidden,
} from './graph/statistics_layers.js';
import {checkModel} from './graph/check_model.js';

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

/** @throws Error if it is tf.js's own, which has no choice of statistics. */
export function onlyOurs(
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
