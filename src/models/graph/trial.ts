import {serialization, type Tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {type Built, buildModel, watchVariables} from './build_model.js';
import {optionsAbout} from '../../layer_support/description.js';
import {descriptionOf} from '../../layer_support/registration.js';
import {refusal, snakeCase} from './json.js';
import {ruleFor} from '../keras/translate/layer_rules.js';
import {isOpenReshape, TrialReshape} from '../keras/translate/reshapes.js';
import type {Translated} from '../keras/translate/translate_layer.js';
import {reasonOf} from '../../util/reason_of.js';

/** The number of values that the trial model's weights may still have. */
let allowance = Infinity;

/**
 * Initializes the weights of a trial model with zeros, and with no more than
 * the file has values, so that a wrong size fails before it fills the memory.
 */
class TrialInitializer extends serialization.Serializable {
  static readonly className = 'TfjsNormalizationTrial';

  apply(shape: number[]): Tensor {
    allowance -= shape.reduce((product, length) => product * length, 1);
    if (allowance >= 0) return zeros(shape);
    throw new Error(
      'it has more weights than the file has values, one of shape ' +
        `[${shape.join(', ')}]`,
    );
  }

  getConfig(): serialization.ConfigDict {
    return {};
  }
}

const TRIAL = {class_name: TrialInitializer.className, config: {}};

/**
 * Builds a model to see if tf.js can, passes it to `use`, and disposes it in
 * any case.
 *
 * @param topology The model as tf.js's model.json has it.
 * @param options `values`: the most values its weights may have. `who`: the
 *   first word of an error.
 * @throws Error if it cannot be built, or whatever `use` throws.
 */
export async function withTrial<T>(
  topology: object,
  {who, values = Infinity}: {who: string; values?: number},
  use: (model: LayersModel) => T,
): Promise<T> {
  const {model, made} = await startTrial(topology, who, values);
  try {
    return use(model);
  } finally {
    for (const variable of made) variable.dispose();
  }
}

function startTrial(
  topology: object,
  who: string,
  values: number,
): Promise<Built> {
  const {classNameMap} = serialization.SerializationMap.getMap();
  serialization.registerClass(TrialInitializer);
  serialization.registerClass(TrialReshape);
  allowance = values;
  try {
    // All weights are made before its first await.
    return buildModel(inTrial(topology) as object, who);
  } finally {
    Reflect.deleteProperty(classNameMap, TrialInitializer.className);
    Reflect.deleteProperty(classNameMap, TrialReshape.className);
  }
}

/**
 * Checks that tf.js can compile a model with the file's training config.
 *
 * @throws Error if it cannot.
 */
export function tryTraining(
  model: LayersModel,
  config: object,
  who: string,
): void {
  const newVariables = watchVariables();
  try {
    tidy(() => model.loadTrainingConfig(config as never));
  } catch (error) {
    const what = `tf.js cannot compile the model (${reasonOf(error)})`;
    throw refusal(who, what, 'trainingConfig', config);
  } finally {
    for (const variable of newVariables()) variable.dispose();
  }
}

/** Returns the same model, with weights that are cheap to make. */
function inTrial(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inTrial);
  if (typeof json !== 'object' || json === null) return json;
  const copy = Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, inTrial(value)]),
  ) as Partial<Translated>;
  const {class_name: className = '', config} = copy;
  if (isOpenReshape(className, config)) {
    return {...copy, class_name: TrialReshape.className};
  }
  const keys =
    initializersOf(className) ??
    ruleFor(className)?.keys.filter((key) => key.endsWith('_initializer')) ??
    [];
  for (const key of keys) if (config) config[key] = TRIAL;
  return copy;
}

/** The keys of the initializers of one of this package's layers. */
function initializersOf(className: string): string[] | undefined {
  return descriptionOf(className)
    ?.parameters.flatMap((parameter) => Object.keys(optionsAbout(parameter)))
    .filter((name) => name.endsWith('Initializer'))
    .map(snakeCase);
}
