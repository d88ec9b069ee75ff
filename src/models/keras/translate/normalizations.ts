import {
  type LayerDescription,
  optionsOf,
} from '../../../layer_support/description.js';
import {isWithoutEffect} from '../../../layer_support/foreign_config.js';
import {
  checkOwnClassName,
  descriptionInKeras,
  descriptionOf,
} from '../../../layer_support/registration.js';
import {camelCase, type Json, own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import {type Setting, translateObject} from './objects.js';

/** Normalizations of Keras and its addons that this package does not have yet. */
const NOT_YET: ReadonlySet<string> = new Set([
  'WeightNormalization',
  'Addons>FilterResponseNormalization',
  'Addons>SpectralNormalization',
  'Addons>WeightNormalization',
]);

/**
 * The layer of this package for a class of Keras, its addons or this package; null if it
 * is a normalization that this package does not have yet, undefined if it is something
 * else.
 */
export function normalizationFor(
  className: string,
): LayerDescription | null | undefined {
  if (NOT_YET.has(className)) return null;
  return descriptionInKeras(className) ?? descriptionOf(className);
}

/**
 * Translates the config of a normalization layer. The class here refuses
 * unknown options by name.
 *
 * @param className The class in the file.
 */
export function translateNormalization(
  description: LayerDescription,
  className: string,
  config: Json,
  setting: Setting,
): Json {
  checkOwnClassName(description.className, setting.who);
  const {inKeras = [], kerasNames, unlikeKeras = []} = description;
  const kept = Object.entries(config).filter(
    ([key, value]) =>
      !inKeras.includes(key) &&
      !isWithoutEffect(description, camelCase(key), value, config),
  );
  for (const [key, value] of kept) {
    const name = camelCase(key);
    if (kerasNames.includes(className) && unlikeKeras.includes(name)) {
      const what = `${name} cannot be loaded from a file of Keras`;
      throw refusal(setting.who, what, name, value);
    }
    if (value !== null || !isNeverNull(description, key)) continue;
    throw refusal(setting.who, `${key} is not given`, key, value);
  }
  const translated = kept.map(([key, value]) => [
    key,
    // These layers apply their constraints in training.
    key.endsWith('_constraint') ? value : translateObject(key, value, setting),
  ]);
  const result = Object.fromEntries(translated) as Json;
  const axis = own(config, 'axis');
  // Keras 2 writes a single axis as a list.
  if (Array.isArray(axis) && axis.length === 1)
    [result.axis] = axis as unknown[];
  return result;
}

/** Keras never leaves these open, and null is the default of here. */
function isNeverNull(description: LayerDescription, key: string): boolean {
  const option = optionsOf(description)[camelCase(key)];
  return (
    option !== undefined &&
    option.ours === undefined &&
    option.takesNull !== true
  );
}
