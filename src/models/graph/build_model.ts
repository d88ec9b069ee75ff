import {engine, type Variable} from '@tensorflow/tfjs-core';
import {type LayersModel, models} from '@tensorflow/tfjs-layers';
import {isOwnClassName} from '../../layer_support/registration.js';
import {checkNames} from './check_names.js';
import {isRecord} from './json.js';
import {ruleFor} from '../keras/translate/layer_rules.js';
import {TrialReshape} from '../keras/translate/reshapes.js';

/** A model, and the variables of the weights that were made for it. */
export interface Built {
  readonly model: LayersModel;
  readonly made: readonly Variable[];
}

/**
 * Builds a model from JSON as tf.js has it. Where that fails, the weights that have
 * been made by then are disposed.
 *
 * @param who The first word of an error.
 */
export async function buildModel(
  topology: object,
  who: string,
): Promise<Built> {
  checkNames(topology, who);
  const newWeights = watchWeights();
  const promise = start(topology);
  const made = newWeights();
  try {
    return {model: await promise, made};
  } catch (error) {
    for (const variable of made) variable.dispose();
    // Errors of this package's layers name these themselves.
    if (reasonOf(error).includes('Received: ')) throw error;
    const what = `tf.js cannot build the model (${reasonOf(error)})`;
    throw new Error(`${who}: ${what}.`);
  }
}

/** tfjs builds the model before it first waits for anything. */
function start(topology: object): Promise<LayersModel> {
  const run = (): Promise<LayersModel> =>
    models.modelFromJSON(topology as never);
  // Tensors that layers of the user's make for themselves are theirs, and may be shared
  // with layers that live: they stay, as they do when tf.js loads a model.
  if (!hasKnownLayersOnly(topology)) return run();
  // Recurrent layers of tf.js leave some behind.
  engine().startScope();
  try {
    return run();
  } finally {
    engine().endScope();
  }
}

/** Models, and a layer that stands in for another in a trial. */
const KNOWN = ['Functional', 'Model', 'Sequential', TrialReshape.className];

function hasKnownLayersOnly(json: unknown): boolean {
  if (!isRecord(json)) return true;
  const {class_name: name, config} = json;
  const isKnown =
    typeof name !== 'string' ||
    KNOWN.includes(name) ||
    isOwnClassName(name) ||
    ruleFor(name) !== undefined;
  const {
    model_config: model,
    layers,
    layer,
    cell,
    cells,
  } = isRecord(config) ? {...json, ...config} : json;
  return (
    isKnown &&
    [model, layers, layer, cell, cells].flat().every(hasKnownLayersOnly)
  );
}

/** Gives the variables that have been made since. */
export function watchVariables(): () => Variable[] {
  const existing = new Set(variables());
  return () => variables().filter((variable) => !existing.has(variable));
}

/** Weights have names; variables that a layer makes for itself have numbers. */
function watchWeights(): () => Variable[] {
  const newVariables = watchVariables();
  return () => newVariables().filter(({name}) => !/^\d+$/.test(name));
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function variables(): Variable[] {
  return Object.values(engine().registeredVariables);
}
