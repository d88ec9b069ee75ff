import type {io} from '@tensorflow/tfjs-core';
import type {LayersModel, LayerVariable} from '@tensorflow/tfjs-layers';
import {checkBoolean, takeOptions} from '../../layer_support/options.js';
import {saverOf} from '../handlers.js';
import {refusal} from '../../util/received.js';
import {Notes} from '../../util/warnings.js';
import {bytesOfAll, readStored} from '../keras/weights/stored_weights.js';
import {withTrial} from '../graph/trial.js';
import {modelJsonIn, readTfjs, writeTfjs} from '../graph/tfjs_json.js';
import {tfjsKeysOf} from '../keras/translate/layer_rules.js';
import {inStock, weightsWithoutStock} from './stock_topology.js';
import {inOrderOfMaking} from '../graph/live_model.js';
import {isObject} from '../../util/is_object.js';

const WHO = 'toStock';

/** Options of {@link toStock}. */
export interface ToStockOptions {
  /**
   * If true, writes the model even where that loses an option that stock tf.js
   * does not have. Defaults to false.
   */
  readonly lossy?: boolean;
}

/**
 * Writes a model.json that tf.js loads without this package: `BatchNorm`
 * becomes its BatchNormalization and `LayerNorm` its LayerNormalization, with
 * the same weights and predictions.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(batchNorm({inputShape: [3]}));
 * let written;
 * await model.save(toStock(tf.io.withSaveHandler(async (artifacts) => {
 *   written = artifacts;
 *   return {};
 * })));
 * const stock = await tf.loadLayersModel(tf.io.fromMemory(written));
 * console.log(stock.layers[0].getClassName());  // BatchNormalization
 * ```
 *
 * Options that stock tf.js does not have are refused: `statistics` of
 * `'batch'`, a BatchNorm whose axis is not the last (stock computes it wrongly
 * on cpu and wasm), inputs of rank 1 or above 4, constraints of a LayerNorm.
 * Options that only affect training are left out with a warning:
 * `movingAverage`, `unbiasedMovingVariance`, `virtualBatchSize`, `renorm` with
 * its options and weights, and `statistics` of `'moving'`,
 * which stock tf.js has only in prediction. A warning also names layers that
 * stock tf.js cannot train: those without gamma or without beta.
 *
 * @param target A URL, as `model.save` takes it, or an IOHandler.
 * @param options `lossy` (false): drops options that would be refused, with one
 *   warning. A BatchNorm over a list of axes is still refused: no stock layer
 *   can load its weights.
 * @return An IOHandler for `model.save`.
 * @throws Error if an option is unknown or `lossy` is not a boolean, or if
 *   nothing saves to the target. Saving rejects with an error that names the
 *   layer and the option.
 */
export function toStock(
  target: string | io.IOHandler,
  options: ToStockOptions = {},
): io.IOHandler {
  const {lossy = false} = takeOptions(options, {lossy: checkBoolean}, WHO);
  const save = saverOf(target, WHO);
  return {save: async (artifacts) => save(await convert(artifacts, lossy))};
}

async function convert(
  artifacts: io.ModelArtifacts,
  lossy: boolean,
): Promise<io.ModelArtifacts> {
  const {modelTopology} = artifacts;
  if (!isObject(modelTopology)) {
    const what = 'there is no model topology';
    throw refusal(WHO, what, 'modelTopology', modelTopology);
  }
  const notes = new Notes(WHO);
  const options = {who: WHO, keysOf: tfjsKeysOf};
  const graph = readTfjs(modelTopology);
  const converted = await withTrial(graph, options, (model) => {
    const live = {model, order: inOrderOfMaking};
    const stock = inStock(readTfjs(modelTopology, live), {
      ...{lossy, notes, who: WHO},
    });
    const topology = {...modelJsonIn(modelTopology), ...writeTfjs(stock)};
    return {topology, kept: keptWeights(artifacts, model)};
  });
  notes.warn();
  return {...artifacts, modelTopology: converted.topology, ...converted.kept};
}

/** @param model A model of the same config. */
function keptWeights(
  artifacts: io.ModelArtifacts,
  model: LayersModel,
): Pick<io.ModelArtifacts, 'weightSpecs' | 'weightData'> {
  const {weightData} = artifacts;
  if (weightData === undefined) return {};
  const without = weightsWithoutStock(model);
  const waiting = new Map<string, LayerVariable[]>();
  for (const weight of model.weights) {
    const {originalName: name} = weight;
    waiting.set(name, [...(waiting.get(name) ?? []), weight]);
  }
  // tf.js writes weights in the model's order, and names may be repeated.
  const kept = readStored(artifacts, WHO).filter(({spec}) => {
    const weight = waiting.get(spec.name)?.shift();
    return weight === undefined || !without.has(weight);
  });
  checkNames(kept.map(({spec}) => spec.name));
  return {
    weightSpecs: kept.map(({spec}) => spec),
    weightData: bytesOfAll(kept, weightData),
  };
}

/** tf.js saves two weights of the same name, and refuses to load them. */
function checkNames(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  const what = 'two weights have the same name, and tf.js cannot load them';
  throw refusal(WHO, what, 'name', twice);
}
