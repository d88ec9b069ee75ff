import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {hasOwn} from '../../layer_support/options.js';
import {
  checkOwnClassName,
  classOf,
  isOwnLayer,
} from '../../layer_support/registration.js';
import {type Json, refusal} from '../graph/json.js';
import type {Notes} from '../graph/notes.js';
import {type LayerJson, mapLayers, type Order} from '../graph/map_layers.js';
import {stockClasses} from '../patch/stock_layers.js';
import {withOrderedCalls} from '../graph/order_calls.js';
import {layersOf} from '../graph/walk_layers.js';
import {stockLayer, stockWeightsOf} from './stock_layers.js';

/**
 * Converts a model's JSON to stock tf.js's layers.
 *
 * @param live The built model, which gives the classes and ranks.
 * @throws Error naming the layer and the option that stock does not have.
 */
export function stockTopology(
  topology: Json,
  live: {model: LayersModel; order: Order},
  {lossy, notes, who}: {lossy: boolean; notes: Notes; who: string},
): Json {
  const mapped = mapLayers(topology, live, (json) => {
    const {layer, className} = json;
    if (layer && !isOwnLayer(layer)) {
      refuseTaken(json, who);
      return undefined;
    }
    const rank = layer && rankOf(layer);
    const become = stockLayer(json, {rank, lossy, notes});
    const taken =
      become && classOf(become.className) !== stockClasses()[become.className];
    if (taken) {
      const what =
        `another class has taken tf.js's name ${become.className}, and ` +
        `${className} ${json.path} would become a layer of that class`;
      throw refusal(who, what, 'className', become.className);
    }
    return become;
  });
  return withOrderedCalls(mapped);
}

/**
 * Another class may have taken the name of one of this package since the model
 * was made: then the JSON does not tell whose layer it describes.
 */
function refuseTaken({className, config, path}: LayerJson, who: string): void {
  const isLikeOurs =
    stockWeightsOf(className) !== undefined &&
    ['axis', 'epsilon', 'center', 'scale'].every((key) => hasOwn(config, key));
  if (isLikeOurs) checkOwnClassName(className, `${who}: ${path}`);
}

/**
 * Returns the weights, by their names in files, that stock tf.js does not have.
 */
export function weightsWithoutStock(model: LayersModel): Set<string> {
  return new Set(
    layersOf(model).flatMap(({layer}) => {
      const kept = isOwnLayer(layer)
        ? stockWeightsOf(layer.getClassName())
        : undefined;
      return kept === undefined
        ? []
        : layer.weights
            .map(({originalName}) => originalName)
            .filter((name) => !kept.includes(name.replace(/.*\//, '')));
    }),
  );
}

/** tfjs's types do not say that a layer may have none. */
function rankOf({inputSpec}: Partial<layers.Layer>): number | undefined {
  return inputSpec?.[0]?.ndim ?? undefined;
}
