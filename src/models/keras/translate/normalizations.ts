import {isWithoutEffect} from '../../../layer_support/foreign_config.js';
import {hasOwn} from '../../../layer_support/options.js';
import {checkOwnClassName} from '../../../layer_support/registration.js';
import {camelCase, type Json, own, refusal} from '../../graph/json.js';
import {type Setting, translateObject} from './objects.js';

/** How one of Keras's normalization layers becomes one of this package. */
interface Normalization {
  /** The class here. */
  readonly className: string;
  /** Keys that say nothing where a batch is whole on one device. */
  readonly ignored?: readonly string[];
}

/** A class that this package is about and does not have yet. */
const NOT_YET = null;

const BATCH: Normalization = {
  className: 'BatchNorm',
  ignored: ['synchronized'],
};
const LAYER: Normalization = {className: 'LayerNorm'};

/** What Keras never leaves open, and null is the default of here. */
const NEVER_NULL: readonly string[] = [
  'axis',
  'center',
  'epsilon',
  'momentum',
  'scale',
];

/** Every normalization layer of Keras and its addons, under all its names. */
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
 * How a layer of this class is translated; null if it is a normalization that
 * this package does not have yet, undefined if it is something else.
 */
export function normalizationFor(
  className: string,
): Normalization | null | undefined {
  return hasOwn(NORMALIZATIONS, className)
    ? NORMALIZATIONS[className]
    : undefined;
}

/**
 * The config of a normalization layer for the class here, which refuses by name
 * what it does not know.
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
    // These layers do hold their constraints.
    key.endsWith('_constraint') ? value : translateObject(key, value, setting),
  ]);
  const result = Object.fromEntries(translated) as Json;
  const axis = own(config, 'axis');
  // Keras 2 makes a list of one axis.
  if (Array.isArray(axis) && axis.length === 1)
    [result.axis] = axis as unknown[];
  return result;
}
