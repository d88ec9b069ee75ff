import {
  engine,
  serialization,
  type Tensor,
  tidy,
  type Variable,
  zeros,
} from '@tensorflow/tfjs-core';
import {type LayersModel, models} from '@tensorflow/tfjs-layers';
import {refusal} from './json.js';
import {ruleFor} from './layer_rules.js';
import {type Translated} from './translate_layer.js';

const WHO = 'fromKeras';

/** How many values the weights of the model that is tried may yet have. */
let allowance = Infinity;

/**
 * Makes the weights of a model that is tried: zeros, and no more of them than the
 * file has values for, so that a false size fails before it fills the memory.
 */
class TrialInitializer extends serialization.Serializable {
  static readonly className = 'TfjsNormalizationTrial';

  apply(shape: number[]): Tensor {
    allowance -= shape.reduce((product, length) => product * length, 1);
    if (allowance >= 0) return zeros(shape);
    throw new Error(
      'it has more weights than there are values for, one of shape ' +
        `[${shape.join(', ')}]`,
    );
  }

  getConfig(): serialization.ConfigDict {
    return {};
  }
}

const TRIAL = {class_name: TrialInitializer.className, config: {}};

const NORM_INITIALIZERS: Readonly<Record<string, readonly string[]>> = {
  BatchNorm: [
    'beta_initializer',
    'gamma_initializer',
    'moving_mean_initializer',
    'moving_variance_initializer',
  ],
  LayerNorm: ['beta_initializer', 'gamma_initializer'],
};

/**
 * Builds a model to see whether tf.js can, asks something of it, and takes it
 * down again, in whatever state it is.
 *
 * @param values How many values its weights may have.
 * @throws Error if it cannot be built, or with what `use` throws.
 */
export async function withTrial<T>(
  topology: Translated,
  values: number,
  use: (model: LayersModel) => T,
): Promise<T> {
  const existing = new Set(variables());
  const promise = startBuilding(topology, values);
  const made = variables().filter((variable) => !existing.has(variable));
  try {
    return use(await built(promise));
  } finally {
    for (const variable of made) variable.dispose();
  }
}

/** tfjs builds the model before it first waits for anything. */
function startBuilding(
  topology: Translated,
  values: number,
): Promise<LayersModel> {
  const {classNameMap} = serialization.SerializationMap.getMap();
  serialization.registerClass(TrialInitializer);
  allowance = values;
  engine().startScope();
  try {
    return models.modelFromJSON(inTrial(topology) as never);
  } finally {
    engine().endScope();
    Reflect.deleteProperty(classNameMap, TrialInitializer.className);
  }
}

/**
 * Checks that tf.js can compile a model as its file says.
 *
 * @throws Error if it cannot.
 */
export function tryTraining(model: LayersModel, config: object): void {
  const existing = new Set(variables());
  try {
    tidy(() => model.loadTrainingConfig(config as never));
  } catch (error) {
    const what = `tf.js cannot compile the model (${reason(error)})`;
    throw refusal(WHO, what, 'trainingConfig', config);
  } finally {
    for (const variable of variables()) {
      if (!existing.has(variable)) variable.dispose();
    }
  }
}

async function built(promise: Promise<LayersModel>): Promise<LayersModel> {
  try {
    return await promise;
  } catch (error) {
    // Errors of this package's layers name these themselves.
    if (reason(error).includes('Received: ')) throw error;
    throw new Error(`${WHO}: tf.js cannot build the model (${reason(error)}).`);
  }
}

/** The same model, with weights that cost little to make. */
function inTrial(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inTrial);
  if (typeof json !== 'object' || json === null) return json;
  const copy = Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, inTrial(value)]),
  ) as Partial<Translated>;
  const {class_name: className = '', config} = copy;
  const keys =
    NORM_INITIALIZERS[className] ??
    ruleFor(className)?.keys.filter((key) => key.endsWith('_initializer')) ??
    [];
  for (const key of keys) if (config) config[key] = TRIAL;
  return copy;
}

function variables(): Variable[] {
  return Object.values(engine().registeredVariables);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
