import {engine, type Tensor, type Variable} from '@tensorflow/tfjs-core';
import {
  type layers,
  type LayersModel,
  type LayerVariable,
  models,
} from '@tensorflow/tfjs-layers';
import {isOwnClassName} from '../../layer_support/registration.js';
import {ONE_COPY} from '../../layer_support/one_copy.js';
import {received, refusal} from '../../util/received.js';
import {reasonOf} from '../../util/reason_of.js';
import {type GraphLayer, type GraphModel, modelsIn} from './graph.js';
import {writeTfjs} from './tfjs_json.js';
import {NormLayer} from '../../layer_support/norm_layer.js';

/** A model, and the weight variables that were made for it. */
export interface Built {
  readonly model: LayersModel;
  readonly made: readonly Variable[];
}

/**
 * Returns the keys that one of tf.js's own layers has in files; undefined for
 * another class.
 */
export type KeysOf = (className: string) => readonly string[] | undefined;

/** The options of {@link buildModel}. */
export interface BuildOptions {
  /** The first word of an error. */
  readonly who: string;
  readonly keysOf: KeysOf;
}

/**
 * Builds a model. If that fails, the weights made so far are disposed.
 *
 * @throws Error with tf.js's reason.
 */
export async function buildModel(
  graph: GraphModel,
  {who, keysOf}: BuildOptions,
): Promise<Built> {
  checkNames(graph, who);
  const newWeights = watchWeights();
  const promise = start(graph, keysOf);
  const made = newWeights();
  try {
    return {model: await promise, made};
  } catch (error) {
    for (const variable of made) variable.dispose();
    // Errors from this package's layers already name the layer.
    if (reasonOf(error).includes('Received: ')) throw error;
    throw new Error(`${who}: ${whyNot(reasonOf(error))}`);
  }
}

/** All copies of tf.js share one list of variables, and each counts names from the start. */
const TAKEN = /^Variable with name (.*) was already registered$/;

function whyNot(reason: string): string {
  const [, name] = TAKEN.exec(reason) ?? [];
  if (name === undefined) return `tf.js cannot build the model (${reason}).`;
  return (
    `a variable has the name that a weight of the model would get, one of ` +
    `another copy of TensorFlow.js or one that the program has made. ${ONE_COPY} ` +
    received('name', name)
  );
}

/** tf.js builds the model before its first await. */
function start(graph: GraphModel, keysOf: KeysOf): Promise<LayersModel> {
  const run = (): Promise<LayersModel> =>
    models.modelFromJSON(writeTfjs(graph) as never);
  // Tensors that custom layers make for themselves may be shared with other
  // live layers: they are kept, as when tf.js loads a model.
  if (!hasKnownLayersOnly(graph, keysOf)) return run();
  // tf.js's recurrent layers leave tensors behind.
  engine().startScope();
  try {
    return run();
  } finally {
    engine().endScope();
  }
}

/**
 * Creates a model of the same class as another from a graph with configs of
 * `getConfig`, with zeros as weights.
 */
export function createModel(
  model: LayersModel,
  graph: GraphModel,
  who: string,
): LayersModel {
  checkNames(graph, who);
  const modelClass = model.constructor as unknown as ModelClass;
  const {config} = writeTfjs(graph, 'config');
  return modelClass.fromConfig(modelClass, config, {}, true);
}

interface ModelClass {
  fromConfig(
    cls: ModelClass,
    config: unknown,
    customObjects: object,
    fastWeightInit: boolean,
  ): LayersModel;
}

const MODELS: readonly string[] = ['Functional', 'Model', 'Sequential'];

function hasKnownLayersOnly(graph: GraphModel, keysOf: KeysOf): boolean {
  const isKnown = ({className, model, wrapped}: GraphLayer): boolean =>
    (model
      ? hasKnownLayersOnly(model, keysOf)
      : isOwnClassName(className) || keysOf(className) !== undefined) &&
    wrapped.every(({layer}) => isKnown(layer));
  return MODELS.includes(graph.className) && graph.layers.every(isKnown);
}

/**
 * Checks that tf.js can build the functional models of a graph: it looks layer
 * names up in plain objects, where it also finds the properties of
 * Object.prototype.
 *
 * @throws Error naming a layer that it cannot build.
 */
function checkNames(graph: GraphModel, who: string): void {
  for (const {isSequential, layers} of modelsIn(graph)) {
    if (isSequential) continue;
    for (const {newName: name} of layers) {
      if (!(name in {})) continue;
      const what = `tf.js cannot rebuild a model with a layer called ${name}; rename it`;
      throw refusal(who, what, 'name', name);
    }
  }
}

/** Returns a function that lists the variables made since. */
export function watchVariables(): () => Variable[] {
  const existing = new Set(variables());
  return () => variables().filter((variable) => !existing.has(variable));
}

/** Keeps weights, which have names; a layer's other variables have numbers. */
function watchWeights(): () => Variable[] {
  const newVariables = watchVariables();
  return () => newVariables().filter(({name}) => !/^\d+$/.test(name));
}

function variables(): Variable[] {
  return Object.values(engine().registeredVariables);
}

/**
 * Copies one layer's weights to another of its kind, bit for bit.
 *
 * @param who The first words of an error message.
 * @throws Error if the numbers of weights differ.
 */
export function copyWeights(
  from: layers.Layer,
  to: layers.Layer,
  who: string,
): void {
  if (from.weights.length !== to.weights.length) {
    throw refusal(
      who,
      `a ${from.getClassName()} that is made from the layer's config has ` +
        `${to.weights.length} weights instead of ${from.weights.length}`,
      'weights',
      from.weights.length,
    );
  }
  giveWeights(
    to,
    from.weights.map((weight) => weight.read()),
  );
}

/**
 * Gives a layer weights bit for bit. tf.js's own setWeights would apply
 * constraints, which its training never does.
 */
export function giveWeights(
  layer: layers.Layer,
  values: readonly Tensor[],
): void {
  if (layer instanceof NormLayer) layer.setWeights([...values]);
  else writeWeights(layer, values);
}

/** Gives a layer weights as they are, ignoring constraints. */
export function writeWeights(
  layer: layers.Layer,
  values: readonly Tensor[],
): void {
  layer.weights.forEach((weight, i) => {
    const value = values[i];
    if (value !== undefined) variableOf(weight).assign(value);
  });
}

function variableOf(weight: LayerVariable): Variable {
  const read = weight.read.bind(weight) as () => Variable;
  return read();
}

/** Copies a model's user-defined metadata to another model. */
export function copyMetadata(from: LayersModel, to: LayersModel): void {
  const metadata = from.getUserDefinedMetadata() as object | undefined;
  if (metadata !== undefined) to.setUserDefinedMetadata(metadata);
}
