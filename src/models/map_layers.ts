import {isRecord, type Json} from './keras/json.js';

/** A layer as tf.js's model.json has it, and the path of `layersOf` to it. */
export interface LayerJson {
  readonly className: string;
  readonly config: Json;
  readonly path: string;
}

/**
 * A copy of a model's JSON with some of its layers replaced, in nested models and
 * in wrappers, too.
 *
 * @param replace The class name and the config of what a layer becomes, or
 *   undefined where it stays.
 */
export function mapLayers(
  topology: Json,
  replace: (layer: LayerJson) => {className: string; config: Json} | undefined,
): Json {
  const visit = (json: unknown, around: string): unknown => {
    if (!isRecord(json) || !isRecord(json.config)) return json;
    const config = json.config;
    const path = `${around}${String(config.name)}`;
    const className = String(json.class_name);
    const become = replace({className, config, path});
    return become
      ? {...json, class_name: become.className, config: become.config}
      : {...json, config: visitInner(config, `${path}/`)};
  };
  const visitInner = (config: Json, around: string): Json => {
    const {layers, layer} = config;
    if (Array.isArray(layers)) {
      return {...config, layers: layers.map((each) => visit(each, around))};
    }
    return layer === undefined
      ? config
      : {...config, layer: visit(layer, around)};
  };
  const {model_config: inner = topology} = topology;
  const model = isRecord(inner) ? inner : {};
  const config = isRecord(model.config) ? model.config : {};
  return {...model, config: visitInner(config, '')};
}
