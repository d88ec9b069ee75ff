import {hasOwn} from '../../layer_support/options.js';
import {refusal} from '../../util/received.js';
import {isObject} from '../../util/is_object.js';

/** An object of a model.json, whose values are not checked yet. */
export type Json = Record<string, unknown>;

/** Deeper than any model, and safe for recursion. */
const MAX_DEPTH = 200;

/**
 * Keys through which JSON could reach the prototype of every object, or break
 * its conversion to text and numbers.
 */
const FORBIDDEN: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
];

/**
 * Copies parsed JSON so that it is safe to walk.
 *
 * @throws Error if it is nested deeper than any model, or has a key that would
 *   reach the prototype of every object or replace one of its methods.
 */
export function safeCopy(value: unknown, who: string, depth = 0): unknown {
  if (depth > MAX_DEPTH) {
    throw refusal(who, 'the JSON is nested too deeply', 'depth', depth);
  }
  if (Array.isArray(value)) {
    // tf.js needs arrays of its own realm, which `map` would not make.
    return Array.from(value, (item) => safeCopy(item, who, depth + 1));
  }
  if (!isObject(value)) return value;
  const copy: Json = {};
  for (const [key, inner] of Object.entries(value)) {
    if (FORBIDDEN.includes(key)) {
      throw refusal(who, 'the JSON has a forbidden key', 'key', key);
    }
    copy[key] = safeCopy(inner, who, depth + 1);
  }
  return copy;
}

/** Returns the value of an object's own key. */
export function own(object: Json, key: string): unknown {
  return hasOwn(object, key) ? object[key] : undefined;
}

/** @throws Error if the value is not an object. */
export function recordAt(object: Json, key: string, who: string): Json {
  const value = own(object, key);
  if (isObject(value)) return value;
  throw refusal(who, `${key} is not an object`, key, value);
}

/** @throws Error if the value is not a list. */
export function listAt(object: Json, key: string, who: string): unknown[] {
  const value = own(object, key);
  if (Array.isArray(value)) return value as unknown[];
  throw refusal(who, `${key} is not a list`, key, value);
}

/** @throws Error if the value is not a string, or is empty. */
export function stringAt(object: Json, key: string, who: string): string {
  const value = own(object, key);
  if (typeof value === 'string' && value !== '') return value;
  throw refusal(who, `${key} is not a non-empty string`, key, value);
}

/** Converts the underscored name of an option in JSON to camel case. */
export function camelCase(key: string): string {
  return key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Converts a name in camel case to one with underscores, as in model.json. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
