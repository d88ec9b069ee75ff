import {isWithoutEffect} from '../../../layer_support/foreign_config.js';
import {hasOwn} from '../../../layer_support/options.js';
import {checkOwnClassName} from '../../../layer_support/registration.js';
import {camelCase, type Json, own, refusal} from '../../graph/json.js';
import {type Setting, translateObject} from './objects.js';

/** Translation of one of Keras's normalization layers to this package. */
interface Normalization {
  /** The class here. */
  readonly className: string;
  /** Keys that have no effect when a batch is whole on one device. */
  readonly ignored?: readonly string[];
}

/** A normalization that this package does not have yet. */
const NOT_YET = null;

const BATCH: Normalization = {
  className: 'BatchNorm',
  ignored: ['synchronized'],
};
const LAYER: Normalization = {className: 'LayerNorm'};

/** Keys that Keras never leaves open, where null is the default here. */
const NEVER_NULL: readonly string[] = [
  'axis',
  'center',
  'epsilon',
  'momentum',
  'scale',
];

/** Every normalization layer of Keras and its addons, under all names. */
const NORMALIZATIONS: Readonly<Record<string, Normalization | null>> = {
  BatchNormalization: BATCH,
  BatchNormalizationV1: BATCH,
  BatchNormalizationV2: BATCH,
  SyncBatchNormalization: BATCH,
  BatchNorm: BATCH,
  LayerNormalization: LAYER,
  LayerNorm: LAYER,
  GroupNormalization: NOT_YET,
  InstanceNormalization: NOT_YET,
  Normalization: NOT_YET,
  RMSNormalization: NOT_YET,
  SpectralNormalization: NOT_YET,
  UnitNormalization: NOT_YET,
  WeightNormalization: NOT_YET,
  'Addons>FilterResponseNormalization': NOT_YET,
  'Addons>GroupNormalization': NOT_YET,
  'Addons>InstanceNormalization': NOT_YET,
  'Addons>SpectralNormalization': NOT_YET,
  'Addons>WeightNormalization': NOT_YET,
};

/**
 * Returns the translation of a class; null for a normalization that this
 * package does not have yet, undefined for any other layer.
 */
export function normalizationFor(
  className: string,
): Normalization | null | undefined {
  return hasOwn(NORMALIZATIONS, className)
    ? NORMALIZATIONS[className]
    : undefined;
}

/**
 * Translates the config of a normalization layer. The class here refuses
 * unknown options by name.
 */
export function translateNormalization(
  {className, ignored = []}: Normalization,
  config: Json,
  setting: Setting,
): Json {
  checkOwnClassName(className, setting.who);
  const kept = Object.entries(config).filter(
    ([key, value]) =>
      !ignored.includes(key) && !isWithoutEffect(camelCase(key), value),
  );
  for (const [key, value] of kept) {
    if (value !== null || !NEVER_NULL.includes(key)) continue;
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
