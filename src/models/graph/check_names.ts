import {refusal} from './json.js';
import {isObject} from '../../util/is_object.js';

/**
 * Checks that tf.js can build the functional models of a config: it looks layer
 * names up in plain objects, where it also finds the properties of
 * Object.prototype.
 *
 * @throws Error naming a layer that it cannot build.
 */
export function checkNames(config: unknown, who: string): void {
  if (Array.isArray(config)) {
    config.forEach((each) => {
      checkNames(each, who);
    });
    return;
  }
  if (!isObject(config)) return;
  const isFunctional = 'outputLayers' in config || 'output_layers' in config;
  const layers: readonly unknown[] = Array.isArray(config.layers)
    ? config.layers
    : [];
  for (const layer of layers) {
    const name = isObject(layer) ? String(layer.name) : '';
    if (!isFunctional || !(name in {})) continue;
    const what = `tf.js cannot rebuild a model with a layer called ${name}; rename it`;
    throw refusal(who, what, 'name', name);
  }
  for (const value of Object.values(config)) checkNames(value, who);
}
