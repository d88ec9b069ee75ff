import {engine, type Variable} from '@tensorflow/tfjs-core';
import {type LayersModel, models} from '@tensorflow/tfjs-layers';
import {isOwnClassName} from '../../layer_support/registration.js';
import {checkNames} from './check_names.js';
import {ruleFor} from '../keras/translate/layer_rules.js';
import {TrialReshape} from '../keras/translate/reshapes.js';
import {isObject} from '../../util/is_object.js';
import {reasonOf} from '../../util/reason_of.js';

/** A model, and the weight variables that were made for it. */
export interface Built {
  readonly model: LayersModel;
  readonly made: readonly Variable[];
}

/**
 * Builds a model from tf.js's JSON. If that fails, the weights made so far are
 * disposed.
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
    // Errors from this package's layers already name the layer.
    if (reasonOf(error).includes('Received: ')) throw error;
    const what = `tf.js cannot build the model (${reasonOf(error)})`;
    throw new Error(`${who}: ${what}.`);
  }
}

/** tf.js builds the model before its first await. */
function start(topology: object): Promise<LayersModel> {
  const run = (): Promise<LayersModel> =>
    models.modelFromJSON(topology as never);
  // Tensors that custom layers make for themselves may be shared with other
  // live layers: they are kept, as when tf.js loads a model.
  if (!hasKnownLayersOnly(topology)) return run();
  // tf.js's recurrent layers leave tensors behind.
  engine().startScope();
  try {
    return run();
  } finally {
    engine().endScope();
  }
}

/** Models, and the layer that replaces a Reshape in a trial. */
const KNOWN = ['Functional', 'Model', 'Sequential', TrialReshape.className];

function hasKnownLayersOnly(json: unknown): boolean {
  if (!isObject(json)) return true;
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
  } = isObject(config) ? {...json, ...config} : json;
  return (
    isKnown &&
    [model, layers, layer, cell, cells].flat().every(hasKnownLayersOnly)
  );
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
