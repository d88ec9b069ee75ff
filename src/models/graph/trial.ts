import {serialization, type Tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import {
  layers as tfLayers,
  type LayersModel,
  type Shape,
} from '@tensorflow/tfjs-layers';
import {
  type Built,
  buildModel,
  type BuildOptions,
  type KeysOf,
  watchVariables,
} from './build_model.js';
import {optionsAbout} from '../../layer_support/description.js';
import {descriptionOf} from '../../layer_support/registration.js';
import {type GraphLayer, type GraphModel, mapLayers} from './graph.js';
import {snakeCase} from './json.js';
import {refusal} from '../../util/received.js';
import {reasonOf} from '../../util/reason_of.js';
import {layersOf} from './live_model.js';

/** The number of values that the trial model's weights may still have. */
let allowance = Infinity;

/** The error if that is too few, where the caller knows the reason. */
let whyTooFew: Error | undefined;

/**
 * Initializes the weights of a trial model with zeros, and with no more than
 * the file has values, so that a wrong size fails before it fills the memory.
 */
class TrialInitializer extends serialization.Serializable {
  static readonly className = 'TfjsNormalizationTrial';

  apply(shape: number[]): Tensor {
    allowance -= shape.reduce((product, length) => product * length, 1);
    if (allowance >= 0) return zeros(shape);
    throw (
      whyTooFew ??
      new Error(
        'it has more weights than the file has values, one of shape ' +
          `[${shape.join(', ')}]`,
      )
    );
  }

  getConfig(): serialization.ConfigDict {
    return {};
  }
}

const TRIAL = {class_name: TrialInitializer.className, config: {}};

/*
 * tf.js resolves a length of -1 in a Reshape only at run time; until then it
 * builds the next layers for a length of -1, which fails for most. Keras knows
 * the length from the start.
 */

const UNKNOWN = -1;

/** Replaces a Reshape while a model is tried, and records its output shape. */
class TrialReshape extends tfLayers.Layer {
  static readonly className = 'TfjsNormalizationTrialReshape';
  readonly found = new Map<string, readonly unknown[]>();
  private readonly targetShape: readonly number[];

  constructor(args: {targetShape: readonly number[]}) {
    super(args as object);
    this.targetShape = args.targetShape;
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [batch = null, ...lengths] = inputShape;
    const shape = resolved(this.targetShape, lengths);
    this.found.set(String(shape), shape);
    return [batch, ...shape];
  }
}

/** The options of {@link withTrial}. */
export interface TrialOptions extends BuildOptions {
  /** The most values that its weights may have. Defaults to any number. */
  readonly values?: number;
  /** The error if they are too few. Defaults to one that names a shape. */
  readonly tooFew?: Error | undefined;
}

/**
 * Builds a model to see if tf.js can, passes it to `use`, and disposes it in
 * any case.
 *
 * @throws Error if it cannot be built, or whatever `use` throws.
 */
export async function withTrial<T>(
  graph: GraphModel,
  options: TrialOptions,
  use: (model: LayersModel) => T,
): Promise<T> {
  const {model, made} = await startTrial(graph, options);
  try {
    return use(model);
  } finally {
    for (const variable of made) variable.dispose();
  }
}

function startTrial(
  graph: GraphModel,
  {who, keysOf, values = Infinity, tooFew}: TrialOptions,
): Promise<Built> {
  const {classNameMap} = serialization.SerializationMap.getMap();
  serialization.registerClass(TrialInitializer);
  serialization.registerClass(TrialReshape);
  const ofTrial: KeysOf = (className) =>
    className === TrialReshape.className ? [] : keysOf(className);
  allowance = values;
  whyTooFew = tooFew;
  try {
    // All weights are made before its first await.
    const inTrial = mapLayers(graph, (layer) => onTrial(layer, keysOf));
    return buildModel(inTrial, {who, keysOf: ofTrial});
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

/** Returns the same layer, with weights that are cheap to make. */
function onTrial(layer: GraphLayer, keysOf: KeysOf): GraphLayer {
  const {className, config} = layer;
  if (isOpenReshape(layer)) {
    return {...layer, className: TrialReshape.className};
  }
  const keys =
    initializersOf(className) ??
    keysOf(className)?.filter((key) => key.endsWith('_initializer')) ??
    [];
  const initializers = Object.fromEntries(keys.map((key) => [key, TRIAL]));
  return {...layer, config: {...config, ...initializers}};
}

/** The keys of the initializers of one of this package's layers. */
function initializersOf(className: string): string[] | undefined {
  return descriptionOf(className)
    ?.parameters.flatMap((parameter) => Object.keys(optionsAbout(parameter)))
    .filter((name) => name.endsWith('Initializer'))
    .map(snakeCase);
}

/** If true, a layer has a length to resolve. */
function isOpenReshape({className, config}: GraphLayer): boolean {
  const {target_shape: shape} = config;
  return (
    className === 'Reshape' && Array.isArray(shape) && shape.includes(UNKNOWN)
  );
}

/** Copies a model with the lengths that the trial found for each Reshape. */
export function withClosedReshapes(
  graph: GraphModel,
  trial: LayersModel,
): GraphModel {
  const found = new Map<string, TrialReshape>();
  for (const {layer} of layersOf(trial)) {
    if (layer instanceof TrialReshape) found.set(layer.name, layer);
  }
  return mapLayers(graph, (layer) => {
    if (!isOpenReshape(layer)) return layer;
    const {config} = layer;
    const shapes = found.get(String(config.name))?.found.values() ?? [];
    const [shape, ...others] = shapes;
    // A Reshape whose uses differ stays open.
    return shape === undefined || others.length > 0
      ? layer
      : {...layer, config: {...config, target_shape: shape}};
  });
}

function resolved(
  target: readonly number[],
  lengths: ReadonlyArray<number | null>,
): number[] {
  const size = lengths.reduce<number>((n, length) => n * (length ?? NaN), 1);
  const known = target.reduce((n, length) => n * Math.abs(length), 1);
  const rest = size / known;
  // tf.js refuses any other length that cannot be resolved.
  return target.map((length) =>
    length === UNKNOWN && Number.isInteger(rest) ? rest : length,
  );
}
