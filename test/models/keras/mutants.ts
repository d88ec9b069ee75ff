import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import type {KerasCase} from './keras_models.js';

/* Keras files with random changes. */

type Path = ReadonlyArray<string | number>;

/** Replacements for a value: of the same type, of another, or none. */
const REPLACEMENTS: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  1,
  2,
  3,
  0.5,
  1e-5,
  1e9,
  2 ** 53,
  -0.5,
  '',
  'relu',
  'same',
  'softmax',
  'dense',
  'norm',
  'input',
  'BatchNormalization',
  'Dense',
  'Dropout',
  '__proto__',
  'toString',
  'constructor',
  'channels_first',
  'float16',
  [],
  [1],
  [null, 4],
  [2, 1],
  {},
  {class_name: 'Ones', config: {}},
];

/** The place of a change, counted modulo all places, and the replacement. */
interface Change {
  readonly place: number;
  readonly kind: 'replace' | 'remove' | 'rename' | 'copy';
  readonly with: unknown;
}

const change: fc.Arbitrary<Change> = fc.record({
  place: fc.nat({max: 2 ** 24}),
  kind: fc.constantFrom<Array<Change['kind']>>(
    'replace',
    'replace',
    'replace',
    'remove',
    'rename',
    'copy',
  ),
  with: fc.oneof(
    fc.constantFrom(...REPLACEMENTS),
    fc.integer({min: -5, max: 5}),
    fc.jsonValue({maxDepth: 2}),
  ),
});

/**
 * Returns one of the cases with one to three changes to its model.json.
 *
 * @param part If given, the only key to change.
 */
export const mutants = (
  cases: readonly KerasCase[],
  part?: keyof tf.io.ModelJSON,
): fc.Arbitrary<KerasCase> =>
  fc
    .tuple(
      fc.constantFrom(...cases),
      fc.array(change, {minLength: 1, maxLength: 3}),
    )
    .map(([given, changes]) => ({
      ...given,
      model: mutated(given.model, changes, part),
    }));

function mutated(
  model: tf.io.ModelJSON,
  changes: readonly Change[],
  part: keyof tf.io.ModelJSON | undefined,
): tf.io.ModelJSON {
  const copy = structuredClone(model);
  const begin: unknown = part === undefined ? copy : copy[part];
  const end = changes.reduce(changed, begin);
  return (part === undefined ? end : {...copy, [part]: end}) as tf.io.ModelJSON;
}

function changed(json: unknown, {place, kind, with: value}: Change): unknown {
  const paths = pathsOf(json, []);
  const path = paths[place % paths.length] ?? [];
  const key = path[path.length - 1];
  if (key === undefined) return json;
  const holder = path
    .slice(0, -1)
    .reduce<unknown>((inner, step) => (inner as never)[step], json);
  const owner = holder as Record<string | number, unknown>;
  if (kind === 'replace') set(owner, key, value);
  else if (kind === 'copy') set(owner, key, valueAt(json, paths, value));
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else {
    if (kind === 'rename') set(owner, keyFrom(value), owner[key]);
    Reflect.deleteProperty(owner, key);
  }
  return json;
}

/** Not String(value), which calls an own toString that the value may have. */
const keyFrom = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** Returns the value at another place. */
function valueAt(
  json: unknown,
  paths: readonly Path[],
  seed: unknown,
): unknown {
  const index = JSON.stringify(seed).length * 7919;
  const path = paths[index % paths.length] ?? [];
  return structuredClone(
    path.reduce<unknown>((inner, step) => (inner as never)[step], json),
  );
}

/** Sets a key as JSON.parse does, so that __proto__ is a key like any other. */
function set(owner: object, key: string | number, value: unknown): void {
  Object.defineProperty(owner, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function pathsOf(json: unknown, path: Path): Path[] {
  if (typeof json !== 'object' || json === null) return [path];
  const inner = Object.entries(json).flatMap(([key, value]) =>
    pathsOf(value, [...path, Array.isArray(json) ? Number(key) : key]),
  );
  return [path, ...inner];
}
