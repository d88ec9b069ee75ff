import type {serialization} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';
import {hasOwn} from './options.js';

/**
 * The keys that model files of Keras and tf.js carry in the config of a
 * normalization without effect here, and the values for which that is true. Any
 * other value would change what the layer computes, and is refused.
 */
const WITHOUT_EFFECT: Readonly<Record<string, (value: unknown) => boolean>> = {
  customObjects: () => true,
  dtype: isFloat32,
  fused: (value) => isAbsent(value) || typeof value === 'boolean',
  synchronized: isOff,
  adjustment: isAbsent,
  virtualBatchSize: isAbsent,
  renorm: isOff,
  renormClipping: isAbsent,
  renormMomentum: (value) => isAbsent(value) || typeof value === 'number',
  rmsScaling: isOff,
};

/**
 * If true, a normalization does the same without this key of its config.
 *
 * @param key The name in camel case.
 */
export function isWithoutEffect(key: string, value: unknown): boolean {
  const test = hasOwn(WITHOUT_EFFECT, key) ? WITHOUT_EFFECT[key] : undefined;
  return test?.(value) === true;
}

/**
 * The config without the keys that have no effect here.
 *
 * @throws Error naming a key whose value would have one.
 */
export function dropForeignKeys(
  config: serialization.ConfigDict,
  className: string,
): serialization.ConfigDict {
  const hasInput = config.batchInputShape ?? config.inputShape;
  const kept = Object.entries(config).filter(([key, value]) => {
    // In tf.js the first layer's dtype is that of the model's input.
    const ofInput = key === 'dtype' && hasInput && typeof value === 'string';
    if (!hasOwn(WITHOUT_EFFECT, key) || ofInput) return true;
    if (isWithoutEffect(key, value)) return false;
    throw new Error(
      `${className} ${nameIn(config)}: ${key} with this value is ` +
        `not supported. ${received(key, value)}`,
    );
  });
  return Object.fromEntries(kept);
}

function nameIn({name}: serialization.ConfigDict): string {
  return typeof name === 'string' ? name : '(unnamed)';
}

function isAbsent(value: unknown): boolean {
  return value === null || value === undefined;
}

function isOff(value: unknown): boolean {
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
