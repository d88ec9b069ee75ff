import {serialization} from '@tensorflow/tfjs-core';
import type {LayerDescription} from './description.js';
import {warnOfAnotherCopy} from './one_copy.js';
import {hasOwn} from './options.js';

type LayerClass =
  serialization.SerializableConstructor<serialization.Serializable>;

/** Marks the classes of this package, whichever copy of it they come from. */
const OWN = Symbol.for('tfjs-normalization.layer');

/** A layer of this package. */
export type DescribedClass = LayerClass & {
  readonly description: LayerDescription;
};

/** The layers of this package, by their class names. */
const classes = new Map<string, DescribedClass>();

/**
 * Registers a layer under its class name, and under those that Keras and its addons give
 * it, so that models with it load. Where another class holds a name already, that one
 * stays.
 */
export function registerLayer(layerClass: DescribedClass): void {
  warnOfAnotherCopy();
  Object.defineProperty(layerClass, OWN, {value: true});
  classes.set(layerClass.className, layerClass);
  for (const name of namesOf(layerClass)) {
    const holder = holderOf(name);
    if (holder === undefined || isOwn(holder)) {
      registerAs(name, layerClass);
      continue;
    }
    console.warn(
      `tfjs-normalization: the class name ${name} is taken by ` +
        `another class, ${nameOf(holder)}; models with it load that one. To ` +
        `take the name, call register({override: true}).`,
    );
  }
}

/** Its names in files, but for the one of tf.js's own layer, which keeps it. */
function namesOf({className, description}: DescribedClass): Set<string> {
  const {kerasNames, counterpart} = description;
  const others = kerasNames.filter((name) => name !== counterpart?.className);
  return new Set([className, ...others]);
}

function registerAs(name: string, layerClass: LayerClass): void {
  const {classNameMap} = serialization.SerializationMap.getMap();
  if (name === layerClass.className) serialization.registerClass(layerClass);
  else classNameMap[name] = [layerClass, layerClass.fromConfig];
}

/**
 * Registers layers that are not registered yet: none, as their modules do it. But whatever
 * is given here stays in a bundle.
 */
export function keepRegistered(layerClasses: readonly DescribedClass[]): void {
  for (const layerClass of layerClasses) {
    if (!classes.has(layerClass.className)) registerLayer(layerClass);
  }
}

/**
 * Registers all layers again.
 *
 * @param override If true, takes the names that other classes hold.
 */
export function registerAgain(override: boolean): void {
  for (const layerClass of classes.values()) {
    for (const name of namesOf(layerClass)) {
      const holder = holderOf(name);
      if (override || holder === undefined || isOwn(holder)) {
        registerAs(name, layerClass);
      }
    }
  }
}

/** If true, models load a layer of this package under a class name. */
export function isOwnClassName(className: string): boolean {
  const holder = holderOf(className);
  return holder !== undefined && isOwn(holder);
}

/**
 * Checks that a model with this class name would be built of this package's class.
 *
 * @throws Error if another class has taken the name since.
 */
export function checkOwnClassName(className: string, who: string): void {
  const holder = holderOf(className);
  if (holder !== undefined && isOwn(holder)) return;
  throw new Error(
    `${who}: another class has taken the name ${className}, and would be built ` +
      `instead of this package's; register({override: true}) takes it back. ` +
      `Received: ${className}=${holder ? nameOf(holder) : 'no class'}`,
  );
}

/** If true, a layer's class is one of this package, not a subclass of one. */
export function isOwnLayer(layer: object): boolean {
  return isOwn(layer.constructor as unknown as LayerClass);
}

/** The class that models load under a name. */
export function classOf(className: string): unknown {
  return holderOf(className);
}

/** The description of a layer of this package; undefined for other class names. */
export function descriptionOf(className: string): LayerDescription | undefined {
  return classes.get(className)?.description;
}

/** The description of the layer that is called so in files of Keras or its addons. */
export function descriptionInKeras(name: string): LayerDescription | undefined {
  return [...classes.values()].find(({description}) =>
    description.kerasNames.includes(name),
  )?.description;
}

/** Not inherited: a user's subclass is the user's. */
function isOwn(holder: LayerClass): boolean {
  return hasOwn(holder, OWN);
}

function holderOf(className: string): LayerClass | undefined {
  const {classNameMap} = serialization.SerializationMap.getMap();
  return hasOwn(classNameMap, className)
    ? classNameMap[className]?.[0]
    : undefined;
}

function nameOf(holder: LayerClass): string {
  return String((holder as unknown as {name?: string}).name);
}
