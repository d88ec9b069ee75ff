import {dispose} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {refusal} from '../../util/received.js';
import {
  isRecalibrated,
  statisticsLayersOf,
  storeOf,
  warnOfHidden,
} from '../graph/statistics_layers.js';
import type {ModelData} from '../../statistics/data_batches.js';
import {
  type GatherOptions,
  gatherStatistics,
  startGathering,
  takeGatherOptions,
  toTensors,
} from './gather_statistics.js';
import {checkModel} from '../graph/live_model.js';

/** Options of {@link recalibrate}. */
export type RecalibrateOptions = GatherOptions;

const WHO = 'recalibrate';

/**
 * Sets the moving statistics of every BatchNorm and the statistics of every Normalization,
 * through nested models, to the mean and the variance of the data.
 *
 * Moving averages lag behind the weights: for the first few hundred steps, and
 * wherever the learning rate is high. Prediction then looks worse than the
 * model is. This replaces them, by running the model forward with batch
 * statistics ("precise BN"): the variance is the population's, and batches are
 * weighted by size. With `renorm`, the averages that go with them are set too, so
 * that training goes on from there. Nothing else of the model changes, and nothing
 * trains.
 *
 * The input of a later BatchNorm depends on the batch statistics of those
 * before it, so in one pass only the first gets exactly the dataset's
 * statistics, whatever the batch size; use the training's batch size, or a
 * larger one. With `exact` there is a pass for each depth, each using the
 * statistics found by the passes before, and every BatchNorm gets exactly the
 * dataset's.
 *
 * A Normalization gets the statistics of its input, as `adapt` would find them, before the
 * layers behind it get theirs. That takes one more pass, or one for each depth where one
 * Normalization comes after another. It keeps its statistics if they were given as options,
 * or if its `trainable` is false.
 *
 * Layers that are frozen, or whose `statistics` is `'moving'`, train with their
 * moving statistics; they use them here too, and keep them. tf.js's own
 * BatchNormalization is recalibrated as well.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, inputShape: [4]}));
 * model.add(batchNorm());
 * const x = tf.randomNormal([100, 4], 5, 3);
 * await recalibrate(model, x, {batchSize: 50});
 * ```
 *
 * @param data Tensors as for `model.fit`, with their labels or without: `x`,
 *   `[x, y]` or `{xs, ys}`; or a `tf.data` dataset of batches of these.
 * @param options `batchSize` (32), for tensors. `batches` (all): the most
 *   batches to use. `exact` (false). `onProgress`: called with `{done, total}`
 *   after every batch; `total` is undefined for a dataset of unknown length.
 *   `signal`: an AbortSignal that cancels.
 * @throws Error if an option is unknown or invalid, if the model has no BatchNorm and no
 *   Normalization that gets statistics from data, or if the data is empty or does not fit
 *   the model. Then, and when cancelled, the statistics stay as they were.
 *
 * @see Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021,
 * https://arxiv.org/abs/2105.07576, section 3.
 */
export async function recalibrate(
  model: LayersModel,
  data: ModelData,
  options: RecalibrateOptions = {},
): Promise<void> {
  checkModel(model, WHO);
  const checked = takeGatherOptions(options, WHO);
  warnOfHidden(model, WHO);
  const norms = statisticsLayersOf(model).filter(({layer}) =>
    isRecalibrated(layer),
  );
  if (norms.length === 0) {
    throw refusal(
      WHO,
      'the model has no BatchNorm and no Normalization that gets statistics from ' +
        `data; those that are frozen, a BatchNorm whose statistics are 'moving' and a ` +
        'Normalization whose mean was given keep theirs',
      'model',
      model.name,
    );
  }
  const gathering = startGathering(model, norms, data, checked, WHO, {
    adapts: true,
  });
  const found = await gatherStatistics(gathering);
  for (const [norm, statistics] of found) {
    const {mean, variance} = toTensors(norm, statistics);
    storeOf(norm.layer).replace({mean, variance}, statistics.count[0] ?? 0);
    dispose([mean, variance]);
  }
}
