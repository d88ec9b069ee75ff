import {serialization, type Tensor} from '@tensorflow/tfjs-core';
import {constraints, initializers, regularizers} from '@tensorflow/tfjs-layers';
import {refusal} from '../util/received.js';
import {hasOwn} from './options.js';

/*
 * Initializers, regularizers and constraints, by name, as an object, or as they
 * stand in a model JSON. tfjs keeps its own parsers to itself; the classes are
 * in its registry.
 */

/** An initializer, as `tf.initializers` makes them. */
export type Initializer = ReturnType<typeof initializers.constant>;
/** A regularizer, as `tf.regularizers` makes them. */
export type Regularizer = ReturnType<typeof regularizers.l2>;
/** A constraint, as `tf.constraints` makes them. */
export type Constraint = ReturnType<typeof constraints.nonNeg>;

/** An object as a model JSON has it. */
export interface SerializedObject {
  /** The name of its class in tf.js. */
  className: string;
  /** The arguments of its class. */
  config: serialization.ConfigDict;
}

/** A name, such as `'zeros'`, an object of tfjs, or one from a model JSON. */
export type ObjectOption<T> = string | T | SerializedObject;

type Kind = 'initializer' | 'regularizer' | 'constraint';

interface Serializable {
  getClassName(): string;
  getConfig(): serialization.ConfigDict;
  apply(...args: unknown[]): Tensor;
}

/** An object of each kind, to know tfjs's base classes by: it exports none. */
const SAMPLES: Readonly<Record<Kind, () => object>> = {
  initializer: () => initializers.zeros(),
  regularizer: () => regularizers.l2(),
  constraint: () => constraints.nonNeg(),
};

const KINDS = Object.keys(SAMPLES) as Kind[];

/** The objects of names that are not a class's with a small first letter. */
const ALIASES: Readonly<Record<string, SerializedObject>> = {
  l1: {className: 'L1', config: {}},
  l2: {className: 'L2', config: {}},
  l1l2: {className: 'L1L2', config: {}},
};

/** An object, or none. */
export type MaybeObject = Initializer | Regularizer | Constraint | null;

/**
 * Makes the object that an option asks for. The last word of the option's name says of
 * which kind it is.
 *
 * @throws Error if it is of another kind, or cannot be made.
 */
export function parseObject(
  option: unknown,
  name: string,
  who: string,
): MaybeObject {
  if (option === null) return null;
  const kind = KINDS.find((each) => name.toLowerCase().endsWith(each));
  return parse(kind ?? 'initializer', option, name, who) as MaybeObject;
}

/** The form of an object in a model JSON. */
export function serializeObject(
  object: MaybeObject,
): serialization.ConfigDict | null {
  if (object === null) return null;
  return {className: object.getClassName(), config: object.getConfig()};
}

function parse(
  kind: Kind,
  option: unknown,
  name: string,
  who: string,
): unknown {
  let problem = `${name} is not ${kind === 'initializer' ? 'an' : 'a'} ${kind}`;
  try {
    const object = objectOf(kind, option);
    if (isOfKind(kind, object)) return object;
  } catch (error) {
    // tfjs's own classes check what they are made with.
    problem = `${name} cannot be made (${(error as Error).message})`;
  }
  throw refusal(who, problem, name, option);
}

function objectOf(kind: Kind, option: unknown): unknown {
  if (typeof option === 'string') {
    const className = capitalize(option);
    return construct(kind, ALIASES[option] ?? {className, config: {}});
  }
  return isSerialized(option) ? construct(kind, option) : option;
}

function construct(kind: Kind, {className, config}: SerializedObject): unknown {
  // Keras 3 has a class for each; tf.js has one for both.
  if (className === 'L1') {
    return regularizers.l1l2({l1: Number(config.l1 ?? 0.01), l2: 0});
  }
  if (className === 'L2') {
    return regularizers.l1l2({l1: 0, l2: Number(config.l2 ?? 0.01)});
  }
  const {classNameMap} = serialization.SerializationMap.getMap();
  if (!hasOwn(classNameMap, className)) return undefined;
  const [cls, fromConfig] = classNameMap[className] ?? [];
  // Of another kind it might not even be constructed without an error.
  const fits = cls && isOfKind(kind, prototypeOf(cls));
  if (!fits || !fromConfig) return undefined;
  return fromConfig(cls, config);
}

function capitalize(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function isSerialized(option: unknown): option is SerializedObject {
  const candidate = option as Partial<SerializedObject> | null;
  return (
    typeof candidate === 'object' &&
    typeof candidate?.className === 'string' &&
    typeof candidate.config === 'object' &&
    (candidate.config as unknown) !== null
  );
}

/** tfjs's own of this kind, or a user's class that has what is called of it. */
function isOfKind(kind: Kind, object: unknown): boolean {
  const known = KINDS.filter((k) => object instanceof baseClass(k));
  if (known.length > 0) return known.includes(kind);
  const candidate = object as Partial<Serializable> | null | undefined;
  return (
    typeof candidate === 'object' &&
    typeof candidate?.apply === 'function' &&
    typeof candidate.getClassName === 'function' &&
    typeof candidate.getConfig === 'function' &&
    !('addWeight' in candidate)
  );
}

function prototypeOf(cls: unknown): unknown {
  return (cls as {prototype: unknown}).prototype;
}

function baseClass(kind: Kind): new () => object {
  const sampleClass = Object.getPrototypeOf(SAMPLES[kind]()) as object;
  const base = Object.getPrototypeOf(sampleClass) as {constructor: unknown};
  return base.constructor as new () => object;
}
