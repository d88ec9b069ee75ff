import {util} from '@tensorflow/tfjs-core';
import type {layers, LayersModel, Shape} from '@tensorflow/tfjs-layers';
import {
  checkOwnClassName,
  isOwnLayer,
} from '../../layer_support/registration.js';
import {checkBoolean, takeOptions} from '../../layer_support/options.js';
import {refusal} from '../../util/received.js';
import {buildModel, copyMetadata, giveWeights} from '../graph/build_model.js';
import {type GraphModel, mapLayers} from '../graph/graph.js';
import type {Json} from '../graph/json.js';
import {normalizationFor} from '../keras/translate/normalizations.js';
import {Notes} from '../../util/warnings.js';
import {AS_LISTED, readTfjs} from '../graph/tfjs_json.js';
import {tfjsKeysOf} from '../keras/translate/layer_rules.js';
import {
  isStockBatchNormalization,
  isStockLayerNormalization,
} from '../patch/stock_layers.js';
import {inStock} from './stock_topology.js';
import {
  checkModel,
  innerLayers,
  type LayerPair,
  pairLayers,
} from '../graph/live_model.js';

const WHO = 'convertModel';

/** Options of {@link convertModel}. */
export interface ConvertOptions {
  /**
   * The layers of the new model: `'normalization'` for this package's,
   * `'stock'` for tf.js's own.
   */
  readonly to: 'normalization' | 'stock';
  /**
   * If true, converts to stock even where that loses an option that stock tf.js
   * does not have. Defaults to false.
   */
  readonly lossy?: boolean;
}

const CHECKS = {
  // Checked where it is used, since it has no default either.
  to: (): void => undefined,
  lossy: checkBoolean,
};

/**
 * Converts a model from tf.js's own normalization layers to those of this
 * package, or back, with the same weights. The given model stays as it is. Compile
 * the new one before training it.
 *
 * ```js
 * const stock = tf.sequential();
 * stock.add(tf.layers.batchNormalization({inputShape: [3]}));
 * const model = await convertModel(stock, {to: 'normalization'});
 * console.log(model.layers[0].getClassName());  // BatchNorm
 * const back = await convertModel(model, {to: 'stock'});
 * console.log(back.layers[0].getClassName());  // BatchNormalization
 * ```
 *
 * @param options `to`: the layers of the new model. `lossy` (false): drop
 *   options that stock tf.js does not have instead of refusing them; see {@link
 *   toStock}.
 * @throws Error if an option is unknown or invalid; or naming the layer and the
 *   option that stock tf.js does not have.
 */
export async function convertModel(
  model: LayersModel,
  options: ConvertOptions,
): Promise<LayersModel> {
  checkModel(model, WHO);
  const {to, lossy = false} = takeOptions(options, CHECKS, WHO);
  const notes = new Notes(WHO);
  const json = model.toJSON(null, false) as unknown as Json;
  const graph = readTfjs(json, {model, order: AS_LISTED});
  const become = convert(graph, {to, lossy}, notes);
  const {model: converted, made} = await buildModel(become, {
    who: WHO,
    keysOf: tfjsKeysOf,
  });
  try {
    for (const pair of pairLayers(model, converted, WHO)) takeWeights(pair);
  } catch (error) {
    for (const variable of made) variable.dispose();
    throw error;
  }
  notes.warn();
  copyMetadata(model, converted);
  return converted;
}

function convert(
  graph: GraphModel,
  {to, lossy}: Required<ConvertOptions>,
  notes: Notes,
): GraphModel {
  switch (to) {
    case 'stock':
      return inStock(graph, {lossy, notes, who: WHO});
    case 'normalization':
      return inOwn(graph);
    default:
      throw refusal(WHO, `to must be 'normalization' or 'stock'`, 'to', to);
  }
}

function inOwn(graph: GraphModel): GraphModel {
  return mapLayers(graph, (layer) => {
    const {live} = layer;
    // By class: the application may have another class of the same name.
    if (!live || !isNormalization(live)) return layer;
    const name = live.getClassName();
    const className = normalizationFor(name)?.className ?? name;
    checkOwnClassName(className, WHO);
    return isStockNormalization(live) ? {...layer, className} : layer;
  });
}

/**
 * Gives a layer the weights of another. A normalization may have extra weights.
 */
function takeWeights({layer, rebuilt, path}: LayerPair): void {
  const isWhole = layer.weights.length === rebuilt.weights.length;
  const names = rebuilt.weights.map(({originalName}) => lastPart(originalName));
  const weights =
    isWhole || !isNormalization(layer)
      ? layer.weights
      : layer.weights.filter((w) => names.includes(lastPart(w.originalName)));
  const fits =
    weights.length === rebuilt.weights.length &&
    weights.every(({shape}, i) => sameSize(shape, rebuilt.weights[i]?.shape));
  if (fits) {
    giveWeights(
      rebuilt,
      weights.map((weight) => weight.read()),
    );
    return;
  }
  // Layers inside it get their weights as pairs of their own.
  if (innerLayers(rebuilt).length > 0) return;
  throw refusal(
    WHO,
    `${layer.getClassName()} ${path} has other weights than a layer ` +
      'made from its config, which must hold all that its weights depend on',
    'weights',
    layer.weights.map(({shape}) => shape),
  );
}

function isNormalization(layer: layers.Layer): boolean {
  return isOwnLayer(layer) || isStockNormalization(layer);
}

function isStockNormalization(layer: layers.Layer): boolean {
  return isStockBatchNormalization(layer) || isStockLayerNormalization(layer);
}

/** Compares sizes. The lengths of weights are always known. */
function sameSize(a: Shape, b: Shape | undefined): boolean {
  const sizeOf = (shape: Shape): number =>
    util.sizeFromShape(shape as number[]);
  return b !== undefined && sizeOf(a) === sizeOf(b);
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
