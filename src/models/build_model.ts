import {engine, type Variable} from '@tensorflow/tfjs-core';
import {type LayersModel, models} from '@tensorflow/tfjs-layers';

/** A model, and every variable that was made for it. */
export interface Built {
  readonly model: LayersModel;
  readonly made: readonly Variable[];
}

/**
 * Builds a model from JSON as tf.js has it. Where that fails, what has been made
 * of it by then is disposed.
 *
 * @param who The first word of an error.
 */
export async function buildModel(
  topology: object,
  who: string,
): Promise<Built> {
  const newVariables = watchVariables();
  const promise = start(topology);
  const made = newVariables();
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

/** Gives the variables that have been made since. */
export function watchVariables(): () => Variable[] {
  const existing = new Set(variables());
  return () => variables().filter((variable) => !existing.has(variable));
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** tfjs builds the model before it first waits for anything. */
function start(topology: object): Promise<LayersModel> {
  engine().startScope();
  try {
    return models.modelFromJSON(topology as never);
  } finally {
    engine().endScope();
  }
}

function variables(): Variable[] {
  return Object.values(engine().registeredVariables);
}
