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
 * Returns the description of this package's layer for a class of Keras, its addons or this
 * package; null for a normalization that this package does not have yet, undefined for any
 * other class.
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

/** Tells if Keras always writes a value for a key. Here null would mean the default. */
function isNeverNull(description: LayerDescription, key: string): boolean {
  const option = optionsOf(description)[camelCase(key)];
  return (
    option !== undefined &&
    option.ours === undefined &&
    option.takesNull !== true
  );
}

/**
 * Returns the config of a Normalization that computes the same as a Rescaling with a scale
 * or an offset for each channel, which tf.js's Rescaling lacks: `x · scale + offset` is
 * `(x − mean) / √variance` with `mean = −offset / scale` and `variance = 1 / scale²`.
 *
 * @return undefined if tf.js's own layer takes it, or if no Normalization can compute it.
 */
export function normalizationOfRescaling(config: Json): Json | undefined {
  const {scale, offset = 0, ...others} = config;
  const lists = [scale, offset].filter(Array.isArray);
  const length = Math.max(0, ...lists.map((list) => list.length));
  const isEven = lists.every((list) => list.length === length);
  if (length === 0 || !isEven) return undefined;
  const valueOf = (option: unknown, i: number): unknown =>
    Array.isArray(option) ? option[i] : option;
  const channels = Array.from({length}, (_, i) => ({
    factor: valueOf(scale, i) as number,
    shift: valueOf(offset, i) as number,
  }));
  const fits = channels.every(
    ({factor, shift}) => isScale(factor) && Number.isFinite(shift),
  );
  if (!fits) return undefined;
  return {
    ...others,
    axis: -1,
    // Not -0.
    mean: channels.map(({factor, shift}) => 0 - shift / factor),
    variance: channels.map(({factor}) => factor ** -2),
  };
}

/**
 * Tells if a scale can be the inverse of a deviation: one whose square float32 holds, and
 * which is above the least that a Normalization divides by.
 */
function isScale(value: unknown): boolean {
  return typeof value === 'number' && value > 1e-18 && value < 1e6;
}
