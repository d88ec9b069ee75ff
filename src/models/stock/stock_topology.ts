import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import type {Json} from '../keras/json.js';
import type {Notes} from '../keras/notes.js';
import {mapLayers} from '../map_layers.js';
import {withOrderedCalls} from '../order_calls.js';
import {layersOf} from '../walk_layers.js';
import {stockLayer, stockWeightsOf} from './stock_layers.js';

/**
 * A model's JSON with stock tf.js's layers for those of this package.
 *
 * @param model The model, built, to know the ranks from.
 * @throws Error naming the layer and the option that stock does not have.
 */
export function stockTopology(
  topology: Json,
  model: LayersModel,
  {lossy, notes}: {lossy: boolean; notes: Notes},
): Json {
  const ranks = new Map(
    layersOf(model).map(({layer, path}) => [path, rankOf(layer)]),
  );
  return withOrderedCalls(
    mapLayers(topology, (layer) =>
      stockLayer(layer, {rank: ranks.get(layer.path), lossy, notes}),
    ),
  );
}

/** The weights, by the names in files, that stock tf.js does not have. */
export function weightsWithoutStock(model: LayersModel): Set<string> {
  return new Set(
    layersOf(model).flatMap(({layer}) => {
      const kept = stockWeightsOf(layer.getClassName());
      return kept === undefined
        ? []
        : layer.weights
            .map(({originalName}) => originalName)
            .filter((name) => !kept.includes(name.replace(/.*\//, '')));
    }),
  );
}

/** tfjs's types don't say that a layer may have none. */
function rankOf({inputSpec}: Partial<layers.Layer>): number | undefined {
  return inputSpec?.[0]?.ndim ?? undefined;
}
