import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {type Json} from './json.js';
import {innerLayers, isModel} from './walk_layers.js';
import {isObject} from '../../util/is_object.js';

/** A layer as tf.js's model.json has it. */
export interface LayerJson {
  readonly className: string;
  readonly config: Json;
  /**
   * The names of the models and wrappers around it, then its own, joined by
   * `/`.
   */
  readonly path: string;
  /** The layer itself, in a model of the same config. */
  readonly layer: layers.Layer | undefined;
}

/** Lists the layers of a model in the order of its JSON. */
export type Order = (model: LayersModel) => readonly layers.Layer[];

/** The order in JSON made from the model itself. */
export const AS_LISTED: Order = (model) => model.layers;

/**
 * Copies a model's JSON with some layers replaced, also in nested models and
 * wrappers.
 *
 * @param model A model of the same config, and the order of its layers.
 * @param replace Returns the class name and config of the replacement, or
 *   undefined to keep the layer.
 */
export function mapLayers(
  topology: Json,
  {model, order}: {model: LayersModel; order: Order},
  replace: (layer: LayerJson) => {className: string; config: Json} | undefined,
): Json {
  const visit = (
    json: unknown,
    layer: layers.Layer | undefined,
    around: string,
  ): unknown => {
    if (!isObject(json) || !isObject(json.config)) return json;
    const config = json.config;
    const path = `${around}${String(config.name)}`;
    const className = String(json.class_name);
    const become = replace({className, config, path, layer});
    return become
      ? {...json, class_name: become.className, config: become.config}
      : {...json, config: visitInner(config, layer, `${path}/`)};
  };
  const visitInner = (
    config: Json,
    holder: layers.Layer | undefined,
    around: string,
  ): Json => {
    const {layers: list, layer} = config;
    if (Array.isArray(list)) {
      const live = holder && isModel(holder) ? order(holder) : [];
      return {
        ...config,
        layers: list.map((each, i) => visit(each, live[i], around)),
      };
    }
    const [inner] = holder ? innerLayers(holder) : [];
    return layer === undefined
      ? config
      : {...config, layer: visit(layer, inner, around)};
  };
  const {model_config: inner = topology} = topology;
  const json = isObject(inner) ? inner : {};
  const config = isObject(json.config) ? json.config : {};
  return {...json, config: visitInner(config, model, '')};
}
