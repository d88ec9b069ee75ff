import {dispose} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {received} from '../../util/received.js';
import {
  batchNormsOf,
  learnsStatistics,
  stateOf,
  warnOfHidden,
} from '../graph/batch_norms.js';
import type {ModelData} from '../../statistics/data_batches.js';
import {
  type GatherOptions,
  gatherStatistics,
  startGathering,
  takeGatherOptions,
  toTensors,
} from './gather_statistics.js';
import {checkModel} from '../graph/check_model.js';

/** Options of {@link recalibrate}. */
export type RecalibrateOptions = GatherOptions;

const WHO = 'recalibrate';

/**
 * Sets the moving statistics of every BatchNorm, through nested models, to the
 * mean and the variance of the data.
 *
 * Moving averages lag behind the weights: for some hundred steps after the start,
 * and wherever a rate is high. Prediction then looks worse than what has been
 * learnt. This replaces them, by running the model forward with the statistics of
 * batches ("precise BN"): the variance is the population's, and a batch counts by
 * its size. Nothing else of the model changes, and nothing trains.
 *
 * What a later BatchNorm sees depends on the batch statistics of those before it,
 * so that in one pass only the first has exactly the dataset's, however the data
 * is cut; take the batches of the training, or larger ones. With `exact` there is
 * a pass for each depth, each predicting with what the ones before have found,
 * and every BatchNorm has exactly the dataset's.
 *
 * Layers that are frozen, or whose `statistics` are `'moving'`, train with their
 * moving statistics; they go on with them here, and keep them. tf.js's own
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
 * @param options `batchSize` (32), for tensors. `batches` (all): how many are
 *   used at most. `exact` (false). `onProgress`: is told
 *   `{done, total}` after every batch; `total` is undefined where only the
 *   dataset's end tells. `signal`: an AbortSignal that cancels.
 * @throws Error if an option is unknown or is not what it may be, if the model has no BatchNorm that learns statistics, or if the
 *   data is empty or not what the model takes. Then, and when it is cancelled,
 *   the statistics are the ones before.
 *
 * Wu and Johnson, "Rethinking 'Batch' in BatchNorm", 2021,
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
  const norms = batchNormsOf(model).filter(({layer}) =>
    learnsStatistics(layer),
  );
  if (norms.length === 0) {
    throw new Error(
      `${WHO}: the model has no BatchNorm that learns statistics; those that ` +
        `are frozen, or whose statistics are 'moving', keep theirs. ` +
        received('model', model.name),
    );
  }
  const gathering = startGathering(model, norms, data, checked, WHO);
  const found = await gatherStatistics(gathering);
  for (const [norm, statistics] of found) {
    const {mean, variance} = toTensors(norm, statistics);
    stateOf(norm.layer).average.replace({mean, variance});
    dispose([mean, variance]);
  }
}
