import type {layers} from '@tensorflow/tfjs-layers';
import type {Axes} from '../src/ops/axes.js';
import {received} from '../src/ops/received.js';

/** What every layer of tfjs takes: `name`, `trainable`, `inputShape` and so on. */
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
 * null and undefined mean the default.
 *
 * @throws Error naming an option that is neither the layer's nor one of those
 *   that every layer takes.
 */
export function completeOptions<D extends object>(
  given: object,
  defaults: D,
  who: string,
): D {
  const entries = Object.entries(given) as Array<[string, unknown]>;
  for (const [name, value] of entries) {
    if (hasOwn(defaults, name) || LAYER_OPTIONS.has(name)) continue;
    const known = Object.keys(defaults).join(', ');
    throw new Error(
      `${who}: unknown option ${name}; its options are ${known}. ` +
        received(name, value),
    );
  }
  const chosen = entries
    .filter(([name, value]) => hasOwn(defaults, name) && value != null)
    .map(([name, value]) => [name, ownCopy(value)] as const);
  return {...defaults, ...Object.fromEntries(chosen)};
}

/**
 * The options without those that this version knows by name only, where they
 * have the one value that asks for nothing.
 *
 * @throws Error if one of them has another value.
 */
export function refuseUnavailable<T extends LayerArgs>(
  args: T,
  unavailable: Readonly<Record<string, unknown>>,
  className: string,
): T {
  const entries = Object.entries(args) as Array<[string, unknown]>;
  const kept = entries.filter(([name, value]) => {
    if (!hasOwn(unavailable, name)) return true;
    if (value === null || value === undefined || value === unavailable[name]) {
      return false;
    }
    throw new Error(
      `${className} ${args.name ?? '(unnamed)'}: ${name} is not available in ` +
        `this version. ${received(name, value)}`,
    );
  });
  return Object.fromEntries(kept) as unknown as T;
}

/** The axis option as a config keeps it, in an array of the config's own. */
export function copyAxes(axis: Axes): number | number[] {
  return typeof axis === 'number' ? axis : [...axis];
}

/** @throws Error if an option is not true or false. */
export function checkBoolean(value: unknown, name: string, who: string): void {
  if (typeof value === 'boolean') return;
  throw new Error(
    `${who}: ${name} must be true or false. ${received(name, value)}`,
  );
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
  throw new Error(
    `${who}: ${name} must be one of ${words}. ${received(name, value)}`,
  );
}

/** @throws Error if an option is not a number from 0 to 1. */
export function checkFraction(value: unknown, name: string, who: string): void {
  if (typeof value === 'number' && value >= 0 && value <= 1) return;
  throw new Error(
    `${who}: ${name} must be a number from 0 to 1. ${received(name, value)}`,
  );
}

/** Not `in`, for which every object has a constructor, and JSON a __proto__. */
export function hasOwn(object: object, name: PropertyKey): boolean {
  return Object.prototype.hasOwnProperty.call(object, name);
}

/** A list that whoever gave it can no longer change. */
function ownCopy(value: unknown): unknown {
  return Array.isArray(value) ? [...(value as unknown[])] : value;
}
