import {hasOwn} from '../../../layer_support/options.js';
import {type Json, own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import type {Notes} from '../../../util/warnings.js';
import {isObject} from '../../../util/is_object.js';

/*
 * Initializers, regularizers, constraints and activations: `translateObject` leads from
 * Keras to tf.js, `objectInKeras` back.
 */

/** Settings for translating an object in a config. */
export interface Setting {
  readonly who: string;
  readonly isKeras3: boolean;
  /** If true, tf.js wrote the model, and reads its own layers unchanged. */
  readonly isFromTfjs: boolean;
  /** If true, the file has weights, so initializers are not needed. */
  readonly hasWeights: boolean;
  readonly notes: Notes;
}

const INITIALIZERS: readonly string[] = [
  'Zeros',
  'Ones',
  'Constant',
  'RandomUniform',
  'RandomNormal',
  'TruncatedNormal',
  'Identity',
  'VarianceScaling',
  'GlorotUniform',
  'GlorotNormal',
  'HeNormal',
  'HeUniform',
  'LeCunNormal',
  'LeCunUniform',
  'Orthogonal',
];

/** Spelling in Keras, and in tf.js. */
const RESPELLED: Readonly<Record<string, string>> = {
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
  // Keras from 3.7 on says Orthogonal, and reads both.
  OrthogonalInitializer: 'Orthogonal',
};

/** tf.js makes each of its regularizers one of these. */
const REGULARIZERS: readonly string[] = ['L1L2'];

const CONSTRAINTS: readonly string[] = [
  'MaxNorm',
  'NonNeg',
  'UnitNorm',
  'MinMaxNorm',
];

/** Activations with another name in Keras 3, and their names in tf.js. */
const RENAMED_ACTIVATIONS: Readonly<Record<string, string>> = {silu: 'swish'};

/** Activations that mean the same in Keras 2, Keras 3 and tf.js. */
const ACTIVATIONS: readonly string[] = [
  'elu',
  'gelu',
  'linear',
  'log_softmax',
  'mish',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softmax',
  'softplus',
  'softsign',
  'swish',
  'tanh',
];

/** Keras 3 computes another function under this name. */
const KERAS_2_ACTIVATIONS: readonly string[] = ['hard_sigmoid'];

/**
 * Translates the value of a key of a layer's config to tf.js.
 *
 * @throws Error if tf.js does not have the object.
 */
export function translateObject(
  key: string,
  value: unknown,
  setting: Setting,
): unknown {
  if (value === null || value === undefined) return null;
  if (key.endsWith('activation')) return activationOf(key, value, setting);
  if (key.endsWith('_initializer')) return initializerOf(key, value, setting);
  if (key.endsWith('_regularizer')) return regularizerOf(key, value, setting);
  if (key.endsWith('_constraint')) return constraintOf(key, value, setting);
  return value;
}

function activationOf(
  key: string,
  value: unknown,
  {who, isKeras3}: Setting,
): unknown {
  const isFunction = isObject(value) && own(value, 'class_name') === 'function';
  const name = isFunction ? own(value, 'config') : value;
  const known = isKeras3
    ? ACTIVATIONS
    : [...ACTIVATIONS, ...KERAS_2_ACTIVATIONS];
  if (typeof name === 'string') {
    if (hasOwn(RENAMED_ACTIVATIONS, name)) return RENAMED_ACTIVATIONS[name];
    if (known.includes(name)) return name;
  }
  const what = `tf.js has no such ${key}`;
  throw refusal(who, what, key, value);
}

function initializerOf(
  key: string,
  value: unknown,
  {who, hasWeights, notes}: Setting,
): unknown {
  const {className = '', config} =
    typeof value === 'string'
      ? {className: inPascalCase(value), config: {}}
      : (partsOf(value) ?? {});
  const name = hasOwn(RESPELLED, className)
    ? (RESPELLED[className] ?? '')
    : className;
  if (config && INITIALIZERS.includes(name)) {
    return {class_name: name, config: onlyPlain(config)};
  }
  // The initializer is not needed any more.
  if (!hasWeights) throw refusal(who, `tf.js has no such ${key}`, key, value);
  notes.add(
    'initializers that tf.js does not have are left out, as the weights are ' +
      'loaded',
    `${who} (${key})`,
  );
  return null;
}

/** `glorot_uniform` and `glorotUniform` name the class `GlorotUniform`. */
function inPascalCase(name: string): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) =>
    letter.toUpperCase(),
  );
}

function regularizerOf(key: string, value: unknown, {who}: Setting): unknown {
  const {className = '', config = {}} = partsOf(value) ?? {};
  const of = (name: string): number => numberOr(own(config, name), 0.01);
  switch (className) {
    case 'L1':
      return l1l2(of('l1'), 0);
    case 'L2':
      return l1l2(0, of('l2'));
    case 'L1L2':
      return l1l2(
        numberOr(own(config, 'l1'), 0),
        numberOr(own(config, 'l2'), 0),
      );
    default:
      throw refusal(who, `tf.js has no such ${key}`, key, value);
  }
}

function l1l2(l1: number, l2: number): Json {
  return {class_name: 'L1L2', config: {l1, l2}};
}

function constraintOf(key: string, value: unknown, setting: Setting): unknown {
  const {who, notes} = setting;
  const {className, config} = partsOf(value) ?? {};
  if (!config || !CONSTRAINTS.includes(className ?? '')) {
    throw refusal(who, `tf.js has no such ${key}`, key, value);
  }
  notes.add(
    'tf.js does not apply the constraints of its own layers in training',
    `${who} (${key})`,
  );
  return {class_name: className, config};
}

/** The modules of Keras's objects, by the last word of their keys. */
const MODULES: ReadonlyArray<[suffix: string, module: string]> = [
  ['_initializer', 'keras.initializers'],
  ['_regularizer', 'keras.regularizers'],
  ['_constraint', 'keras.constraints'],
];

/**
 * Translates the value of a key of a tf.js layer's config to Keras 3.
 *
 * @param value In the form of a model.json.
 * @throws Error if Keras does not have the object.
 */
export function objectInKeras(
  key: string,
  value: unknown,
  {who, notes}: Pick<Setting, 'who' | 'notes'>,
): unknown {
  if (value === null || value === undefined) return null;
  if (key.endsWith('activation')) return activationInKeras(key, value, who);
  if (key === 'target_shape' && Array.isArray(value)) {
    // tf.js has null for the length that follows from the others.
    return value.map((length: unknown) => length ?? -1);
  }
  const [suffix, module] = MODULES.find(([each]) => key.endsWith(each)) ?? [];
  if (module === undefined) return value;
  const {className = '', config} = partsOf(value) ?? {};
  const name = nameInKeras(suffix, className);
  if (config && name !== undefined) {
    return {module, class_name: name, config, registered_name: null};
  }
  if (suffix !== '_initializer') {
    throw refusal(who, `Keras has no such ${key}`, key, value);
  }
  notes.add(
    'initializers that Keras does not have are left out, as the weights are written',
    `${who} (${key})`,
  );
  return null;
}

function activationInKeras(key: string, value: unknown, who: string): unknown {
  const renamed = keyFor(RENAMED_ACTIVATIONS, value);
  if (renamed !== undefined) return renamed;
  if (ACTIVATIONS.includes(value as string)) return value;
  const what = KERAS_2_ACTIVATIONS.includes(value as string)
    ? `Keras 3 computes another function under the name of this ${key}`
    : `Keras 3 has no such ${key}`;
  throw refusal(who, what, key, value);
}

function nameInKeras(
  suffix: string | undefined,
  className: string,
): string | undefined {
  if (suffix === '_constraint') return knownIn(CONSTRAINTS, className);
  if (suffix === '_regularizer') return knownIn(REGULARIZERS, className);
  return keyFor(RESPELLED, className) ?? knownIn(INITIALIZERS, className);
}

function knownIn(names: readonly string[], name: string): string | undefined {
  return names.includes(name) ? name : undefined;
}

/** The first key with this value. */
function keyFor(
  record: Readonly<Record<string, string>>,
  wanted: unknown,
): string | undefined {
  return Object.entries(record).find(([, value]) => value === wanted)?.[0];
}

/** Reads a serialized object, ignoring additions of Keras's. */
function partsOf(
  value: unknown,
): {className: string; config: Json} | undefined {
  if (!isObject(value)) return undefined;
  const className = own(value, 'class_name');
  const config = own(value, 'config');
  return typeof className === 'string' && isObject(config)
    ? {className, config}
    : undefined;
}

/** Drops values that only Python can use: seed generators, arrays. */
function onlyPlain(config: Json): Json {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => typeof value !== 'object'),
  );
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
