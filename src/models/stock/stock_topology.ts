import type {layers, LayersModel, LayerVariable} from '@tensorflow/tfjs-layers';
import {hasOwn} from '../../layer_support/options.js';
import {
  checkOwnClassName,
  classOf,
  isOwnLayer,
} from '../../layer_support/registration.js';
import {type GraphLayer, type GraphModel, mapLayers} from '../graph/graph.js';
import {refusal} from '../graph/json.js';
import type {Notes} from '../graph/notes.js';
import {stockClasses} from '../patch/stock_layers.js';
import {layersOf} from '../graph/walk_layers.js';
import {stockLayer, stockWeightsOf} from './stock_layers.js';

/**
 * Converts a model to stock tf.js's layers.
 *
 * @param graph The model, with its live layers, which give the classes and ranks.
 * @throws Error naming the layer and the option that stock does not have.
 */
export function inStock(
  graph: GraphModel,
  {lossy, notes, who}: {lossy: boolean; notes: Notes; who: string},
): GraphModel {
  return mapLayers(graph, (layer, path) => {
    const {live, className} = layer;
    if (live && !isOwnLayer(live)) {
      refuseTaken(layer, `${who}: ${path}`);
      return layer;
    }
    const rank = live && rankOf(live);
    const become = stockLayer(layer, path, {rank, lossy, notes});
    const taken =
      become && classOf(become.className) !== stockClasses()[become.className];
    if (taken) {
      const what =
        `another class has taken tf.js's name ${become.className}, and ` +
        `${className} ${path} would become a layer of that class`;
      throw refusal(who, what, 'className', become.className);
    }
    return {...layer, ...become};
  });
}

/**
 * Another class may have taken the name of one of this package since the model
 * was made: then the JSON does not tell whose layer it describes.
 */
function refuseTaken({className, config}: GraphLayer, who: string): void {
  const isLikeOurs =
    stockWeightsOf(className) !== undefined &&
    ['axis', 'epsilon', 'center', 'scale'].every((key) => hasOwn(config, key));
  if (isLikeOurs) checkOwnClassName(className, who);
}

/** Returns the weights of a model that stock tf.js does not have. */
export function weightsWithoutStock(model: LayersModel): Set<LayerVariable> {
  return new Set(
    layersOf(model).flatMap(({layer}) => {
      const kept = isOwnLayer(layer)
        ? stockWeightsOf(layer.getClassName())
        : undefined;
      return kept === undefined
        ? []
        : layer.weights.filter(
            ({originalName}) =>
              !kept.includes(originalName.replace(/.*\//, '')),
          );
    }),
  );
}

/** tfjs's types do not say that a layer may have none. */
function rankOf({inputSpec}: Partial<layers.Layer>): number | undefined {
  return inputSpec?.[0]?.ndim ?? undefined;
}
