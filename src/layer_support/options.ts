import type {layers} from '@tensorflow/tfjs-layers';
import {type Axes, checkAxes} from '../ops/axes.js';
import {knownOptions} from '../ops/known_options.js';
import {refusal} from '../util/received.js';
import {
  defaultsOf,
  type LayerDescription,
  type OptionCheck,
  type OptionDescription,
  optionsOf,
} from './description.js';

/** The options of every layer of tfjs: `name`, `trainable`, `inputShape` and so on. */
export type LayerArgs = NonNullable<
  ConstructorParameters<typeof layers.Layer>[0]
>;

const LAYER_OPTIONS: ReadonlySet<string> = new Set([
  'inputShape',
  'batchInputShape',
  'batchSize',
  'dtype',
  'inputDType',
  'name',
  'trainable',
  'weights',
]);

/**
 * The options of a layer with its defaults filled in; as everywhere in tf.js,
 * null and undefined mean the default, but for the options that take null.
 *
 * @throws Error naming an option that is neither the layer's nor one of those
 *   that every layer takes.
 */
export function completeOptions<Options extends object>(
  passed: object,
  description: LayerDescription<Options>,
  who: string,
): Options {
  const defaults = defaultsOf(description);
  const own = optionsOf(description);
  const known = Object.keys(defaults);
  const entries = knownOptions(passed, known, who, LAYER_OPTIONS);
  const chosen = entries
    .filter(([name, value]) => hasOwn(defaults, name) && value !== undefined)
    .filter(([name, value]) => value !== null || own[name]?.takesNull)
    .map(([name, value]) => [name, ownCopy(value)] as const);
  return {...defaults, ...Object.fromEntries(chosen)};
}

/** Every option of a layer, where null means none of an object. */
export type OptionsOf<Args extends LayerArgs> = {
  [Name in Exclude<keyof Args, keyof LayerArgs>]-?:
    | Exclude<Args[Name], undefined>
    | (Name extends `${string}${'Regularizer' | 'Constraint'}` ? null : never);
};

/**
 * The options of a function, checked; null and undefined mean the default, and are
 * left out.
 *
 * @param checks How each option is checked, by its name.
 * @throws Error if the options are no object, if one of them is unknown, or if its
 *   value is not what it may be.
 */
export function takeOptions<T extends object>(
  passed: T,
  checks: {readonly [K in keyof T]-?: OptionCheck},
  who: string,
): T {
  const entries = knownOptions(passed, Object.keys(checks), who);
  const chosen = entries.filter(([, value]) => value != null);
  for (const [name, value] of chosen) checks[name as keyof T](value, name, who);
  return Object.fromEntries(chosen) as T;
}

/**
 * Refuses options passed to a function that takes none. What is no object may come
 * from `map`, which calls with a position and the whole array.
 *
 * @param more The arguments after those that the function takes.
 */
export function refuseOptions(more: readonly unknown[], who: string): void {
  for (const options of more) {
    const isObject = typeof options === 'object' && options !== null;
    if (isObject && !Array.isArray(options)) knownOptions(options, [], who);
  }
}

/**
 * Checks the options of one of tf.js's own layers, which ignores what it does not
 * know.
 *
 * @param known The options of that layer alone.
 */
export function checkLayerOptions(
  passed: unknown,
  known: readonly string[],
  who: string,
): void {
  knownOptions(passed, known, who, LAYER_OPTIONS);
}

/** `axis` of the layers that take several, the last by default. */
export const AXIS_OPTION: OptionDescription<Axes> = {
  default: -1,
  check: (value, _, who) => {
    checkAxes(value, who);
  },
};

/** `axis` of the layers that take that of the channels, the last by default. */
export const CHANNEL_AXIS_OPTION: OptionDescription<number> = {
  default: -1,
  check: (value, name, who) => {
    if (Number.isInteger(value)) return;
    throw refusal(who, `${name} must be an integer`, name, value);
  },
};

/** @throws Error if an option is not true or false. */
export function checkBoolean(value: unknown, name: string, who: string): void {
  if (typeof value === 'boolean') return;
  throw refusal(who, `${name} must be true or false`, name, value);
}

/** @throws Error if an option is none of the words it may be. */
export function checkChoice(
  value: unknown,
  choices: readonly string[],
  name: string,
  who: string,
): void {
  if (typeof value === 'string' && choices.includes(value)) return;
  const words = choices.map((choice) => `'${choice}'`).join(', ');
  throw refusal(who, `${name} must be one of ${words}`, name, value);
}

/** @throws Error if an option is not a number from 0 to 1. */
export function checkFraction(value: unknown, name: string, who: string): void {
  if (typeof value === 'number' && value >= 0 && value <= 1) return;
  throw refusal(who, `${name} must be a number from 0 to 1`, name, value);
}

/** @throws Error if an option is not an integer above 0. */
export function checkCount(value: unknown, name: string, who: string): void {
  if (Number.isInteger(value) && Number(value) > 0) return;
  throw refusal(who, `${name} must be an integer above 0`, name, value);
}

/** @throws Error if an option is not a function. */
export function checkFunction(value: unknown, name: string, who: string): void {
  if (typeof value === 'function') return;
  throw refusal(who, `${name} must be a function`, name, value);
}

/** @throws Error if an option is not an AbortSignal. */
export function checkSignal(value: unknown, name: string, who: string): void {
  const signal = value as Partial<AbortSignal> | null;
  if (typeof signal?.throwIfAborted === 'function') return;
  throw refusal(who, `${name} must be an AbortSignal`, name, value);
}

/** Not `in`, for which every object has a constructor, and JSON a __proto__. */
export function hasOwn(object: object, name: PropertyKey): boolean {
  return Object.prototype.hasOwnProperty.call(object, name);
}

/**
 * A list, or a plain object, that whoever gave it can no longer change; a typed array
 * becomes a list.
 */
export function ownCopy(value: unknown): unknown {
  const isTyped = ArrayBuffer.isView(value) && !(value instanceof DataView);
  const list = isTyped ? Array.from(value as unknown as unknown[]) : value;
  if (Array.isArray(list)) return list.map(ownCopy);
  const isPlain =
    list != null && Object.getPrototypeOf(list) === Object.prototype;
  return isPlain ? {...list} : list;
}
