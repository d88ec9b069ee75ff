import type {serialization} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import type {LayerDescription, Neutral} from './description.js';
import {hasOwn} from './options.js';

/*
 * Model files of Keras and tf.js carry keys that a layer here does not have. With some
 * values they have no effect; any other would change what the layer computes, and is
 * refused.
 */

/** Keys that any layer may carry. */
const IN_ALL_FILES: Readonly<Record<string, Neutral>> = {
  customObjects: () => true,
  dtype: isFloat32,
};

/**
 * If true, a layer does the same without this key of its config.
 *
 * @param key The name in camel case.
 * @param config The whole config.
 */
export function isWithoutEffect(
  description: LayerDescription,
  key: string,
  value: unknown,
  config: Readonly<Record<string, unknown>>,
): boolean {
  return neutralFor(description, key)?.(value, config) === true;
}

/**
 * The config without the keys that have no effect here.
 *
 * @throws Error naming a key whose value would have one.
 */
export function dropForeignKeys(
  config: serialization.ConfigDict,
  description: LayerDescription,
): serialization.ConfigDict {
  const hasInput = config.batchInputShape ?? config.inputShape;
  const kept = Object.entries(config).filter(([key, value]) => {
    // In tf.js the first layer's dtype is that of the model's input.
    const ofInput = key === 'dtype' && hasInput && typeof value === 'string';
    const neutral = neutralFor(description, key);
    if (neutral === undefined || ofInput) return true;
    if (neutral(value, config)) return false;
    if (hasOwn(description.options, key)) return true;
    throw new Error(
      `${description.label ?? description.className} ${nameIn(config)}: ${key} with this value is ` +
        `not supported. ${received(key, value)}`,
    );
  });
  return Object.fromEntries(kept);
}

function neutralFor(
  {inFiles = {}}: LayerDescription,
  key: string,
): Neutral | undefined {
  const lists = [IN_ALL_FILES, inFiles];
  return lists.find((list) => hasOwn(list, key))?.[key];
}

/** The name in a config, for messages. */
export function nameIn({name}: serialization.ConfigDict): string {
  return typeof name === 'string' ? name : '(unnamed)';
}

/** Null or undefined. */
export function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

/** False, or absent. */
export function isOff(value: unknown): boolean {
  return isAbsent(value) || value === false;
}

/** A name, or Keras 3's policy object around one. */
function isFloat32(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) {
    const {config} = value as {config?: {name?: unknown}};
    return isFloat32(config?.name);
  }
  return isAbsent(value) || value === 'float32';
}
