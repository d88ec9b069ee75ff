import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {received} from '../ops/received.js';
import {buildModel} from './build_model.js';
import {giveWeights} from './copy_weights.js';
import type {Json} from './keras/json.js';
import {normalizationFor} from './keras/normalizations.js';
import {Notes} from './keras/notes.js';
import {mapLayers} from './map_layers.js';
import {withOrderedCalls} from './order_calls.js';
import {stockTopology} from './stock/stock_topology.js';
import {layerAt, layersOf} from './walk_layers.js';

const WHO = 'convertModel';

/** Options of {@link convertModel}. */
export interface ConvertOptions {
  /**
   * Whose layers the new model has: `'normalization'` for this package's,
   * `'stock'` for tf.js's own.
   */
  readonly to: 'normalization' | 'stock';
  /**
   * Convert to stock even where that loses an option which stock tf.js does not
   * have. Defaults to false.
   */
  readonly lossy?: boolean;
}

/**
 * Makes a model on the layers of this package from one on tf.js's own, or the
 * other way round, with equal weights. The model that is given stays as it is. The
 * new one has to be compiled before it is trained.
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
 * @param options `to`: whose layers the new model has. `lossy` (false): lose what
 *   stock tf.js does not have instead of refusing it; see {@link toStock}.
 * @throws Error naming the layer and the option that stock tf.js does not have.
 */
export async function convertModel(
  model: LayersModel,
  {to, lossy = false}: ConvertOptions,
): Promise<LayersModel> {
  const notes = new Notes(WHO);
  const topology = model.toJSON(null, false) as unknown as Json;
  const become = convert(topology, model, {to, lossy}, notes);
  const {model: converted} = await buildModel(become, WHO);
  notes.warn();
  const placed = layersOf(converted);
  for (const {layer, path} of placed) {
    // What a wrapper wraps comes by itself.
    const isWrapper = placed.some((other) => other.path.startsWith(`${path}/`));
    const original = isWrapper ? undefined : layerAt(model, path);
    if (original) takeWeights(original, layer);
  }
  return converted;
}

function convert(
  topology: Json,
  model: LayersModel,
  {to, lossy = false}: ConvertOptions,
  notes: Notes,
): Json {
  switch (to) {
    case 'stock':
      return stockTopology(topology, model, {lossy, notes});
    case 'normalization':
      return ownTopology(topology);
    default:
      throw new Error(
        `${WHO}: to must be 'normalization' or 'stock'. ${received('to', to)}`,
      );
  }
}

function ownTopology(topology: Json): Json {
  const mapped = mapLayers(topology, ({className, config}) => {
    const normalization = normalizationFor(className);
    // What is of this package stays, and so does what it does not have yet.
    return normalization && normalization.className !== className
      ? {className: normalization.className, config}
      : undefined;
  });
  return withOrderedCalls(mapped);
}

/** Gives a layer the weights of another, which may have some more. */
function takeWeights(from: layers.Layer, to: layers.Layer): void {
  const isWhole = from.weights.length === to.weights.length;
  const names = to.weights.map(({originalName}) => lastOf(originalName));
  const values = isWhole
    ? from.weights
    : from.weights.filter((w) => names.includes(lastOf(w.originalName)));
  giveWeights(
    to,
    values.map((weight) => weight.read()),
  );
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
