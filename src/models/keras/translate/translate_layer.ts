import {serialization} from '@tensorflow/tfjs-core';
import {layers as tfLayers} from '@tensorflow/tfjs-layers';
import {hasOwn} from '../../../layer_support/options.js';
import {type Json, own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import {type GraphLayer, type Wrapped, whoIs} from '../../graph/graph.js';
import {writeLayer} from '../../graph/tfjs_json.js';
import {
  type LayerRule,
  randomKeysOf,
  ruleFor,
  type StandIn,
  standInFor,
} from './layer_rules.js';
import {
  normalizationFor,
  normalizationOfRescaling,
  translateNormalization,
} from './normalizations.js';
import {type Setting, translateObject} from './objects.js';
import {isObject} from '../../../util/is_object.js';

/** A layer of tf.js, without its calls. */
export type Translated = Pick<GraphLayer, 'className' | 'config' | 'wrapped'>;

/** Returns the layer that a wrapped one becomes. */
export type TranslateInner = (inner: GraphLayer) => GraphLayer;

/** The facts about the model around a layer. */
export interface Surroundings extends Omit<Setting, 'who'> {
  /** The `training` argument of layers, where there is one. */
  readonly training: ReadonlyMap<GraphLayer, boolean>;
}

/** Keys of every layer's config, and Keras's own bookkeeping. */
const COMMON: readonly string[] = ['name', 'trainable'];
const BOOKKEEPING: readonly string[] = ['quantization_config', 'build_config'];

const FLOATS: readonly string[] = [
  'float32',
  'float16',
  'bfloat16',
  'float64',
  'mixed_float16',
  'mixed_bfloat16',
];

/**
 * Returns the layers that have to follow a translated one, each on the output of
 * the one before: here, one that restores the axes dropped by tf.js's global
 * pooling.
 */
export function layersAfter({
  className,
  config,
  newName,
}: GraphLayer): GraphLayer[] {
  const axes = ruleFor(className)?.pooledAxes ?? 0;
  if (axes === 0 || own(config, 'keepdims') !== true) return [];
  const ones = Array<number>(axes).fill(1);
  const isFirst = own(config, 'data_format') === 'channels_first';
  const shape = isFirst ? [-1, ...ones] : [...ones, -1];
  return [newLayer('Reshape', {target_shape: shape}, `${newName}_keepdims`)];
}

/** A layer that the file does not have. */
export function newLayer(
  className: string,
  config: Json,
  name: string,
): GraphLayer {
  return {
    ...{className, name, newName: name, config: {...config, name}},
    ...{calls: [], wrapped: []},
  };
}

/**
 * Translates a layer other than a model.
 *
 * @throws Error naming the layer and the option that tf.js does not have.
 */
export function translateLayer(
  layer: GraphLayer,
  around: Surroundings,
  translateInner: TranslateInner,
): Translated {
  const who = whoIs(layer);
  const setting = {...around, who};
  const plain = withPlainDtype(layer.config, setting);
  const ofChannels =
    layer.className === 'Rescaling' && !setting.isFromTfjs
      ? normalizationOfRescaling(plain)
      : undefined;
  const className = ofChannels ? 'Normalization' : layer.className;
  const config = ofChannels ?? plain;
  const training = around.training.get(layer);
  if (className === 'InputLayer') return translateInput(layer, config, who);

  const normalization = normalizationFor(className);
  if (normalization) {
    checkWrapper(layer, training, setting);
    return {
      className: normalization.className,
      config: {
        ...translateNormalization(normalization, className, config, setting),
        ...statisticsFor(normalization.className, training, config),
        name: layer.newName,
      },
      wrapped: wrappedIn(layer, translateInner, setting),
    };
  }
  // tf.js's own RandomWidth is random in prediction, too.
  const isOfUser = className !== 'RandomWidth' && isRegistered(className);
  const standIn =
    setting.isFromTfjs || isOfUser ? undefined : standInFor(className);
  if (standIn) {
    return translateNothing(layer, standIn, config, training, setting);
  }
  const rule = ruleFor(className, config);
  const wrapped = wrappedIn(layer, translateInner, setting);
  if (rule && setting.isFromTfjs) {
    const {config: asItIs, newName: name} = layer;
    return {className, config: {...asItIs, name}, wrapped};
  }
  if (rule) {
    const still = withoutChance(className, config, training, setting);
    return {...translateStock(layer, still, rule, setting), wrapped};
  }
  checkRegistered(className, normalization === null, who);
  if (training === true) {
    throw refusal(who, 'it is called with training', 'training', training);
  }
  return {className, config: {...config, name: layer.newName}, wrapped};
}

/** Refuses a SpectralNormalization that Keras would write to in prediction. */
function checkWrapper(
  {wrapped}: GraphLayer,
  training: boolean | undefined,
  {who, isKeras3, notes}: Setting,
): void {
  const [inside] = wrapped;
  if (inside === undefined) return;
  if (training === true) {
    const what = 'Keras changes its kernel in every prediction';
    throw refusal(who, what, 'training', training);
  }
  if (isKeras3 && inside.layer.className === 'Embedding') {
    notes.add(
      'Keras 3 rounds the output of its spectral normalization to the dtype of the ' +
        'input, here it is float32',
      who,
    );
  }
}

function statisticsFor(
  className: string,
  training: boolean | undefined,
  config: Json,
): Json {
  if (className !== 'BatchNorm' || training === undefined) return {};
  // A frozen layer uses its moving statistics, whatever it is called with.
  const isFrozen = own(config, 'trainable') === false;
  return {statistics: training && !isFrozen ? 'batch' : 'moving'};
}

/**
 * Turns a layer's randomness off where the model calls it with training=False.
 * Keras 3 writes `false` for every such layer, whatever the user passed.
 */
function withoutChance(
  className: string,
  config: Json,
  training: boolean | undefined,
  {who, isKeras3, notes}: Setting,
): Json {
  const keys = randomKeysOf(className, config);
  if (training === undefined || keys.length === 0) return config;
  if (training) {
    const what = 'tf.js cannot keep this layer random in prediction';
    throw refusal(who, what, 'training', training);
  }
  if (isKeras3) return config;
  notes.add('layers called with training=False are no longer random', who);
  return {...config, ...Object.fromEntries(keys.map((key) => [key, 0]))};
}

/**
 * Translates a layer that passes its input on in prediction into one of tf.js.
 */
function translateNothing(
  {className, newName: name}: GraphLayer,
  standIn: StandIn,
  config: Json,
  training: boolean | undefined,
  {who, notes}: Setting,
): Translated {
  if (training === true && className !== 'Identity') {
    const what =
      'tf.js does not have this layer, which is active in prediction here';
    throw refusal(who, what, 'training', training);
  }
  if (className !== 'Identity') {
    const what = 'layers that act only in training and that tf.js lacks';
    notes.add(`left out ${what}`, who);
  }
  const kept = Object.entries(config).filter(
    ([key]) => COMMON.includes(key) || isOfInput(key),
  );
  return {
    className: standIn.className,
    config: {...standIn.config, ...Object.fromEntries(kept), name},
    wrapped: [],
  };
}

function translateInput(
  layer: GraphLayer,
  config: Json,
  who: string,
): Translated {
  const shape = own(config, 'batch_input_shape') ?? own(config, 'batch_shape');
  if (!Array.isArray(shape) || !shape.every(isLength)) {
    throw refusal(who, 'it has no valid shape', 'batch_shape', shape);
  }
  for (const key of ['sparse', 'ragged']) {
    if (own(config, key) !== true) continue;
    throw refusal(who, 'tf.js has only dense inputs', key, true);
  }
  return {
    className: 'InputLayer',
    config: {
      batch_input_shape: shape,
      dtype: own(config, 'dtype') ?? 'float32',
      sparse: false,
      name: layer.newName,
    },
    wrapped: [],
  };
}

function translateStock(
  layer: GraphLayer,
  given: Json,
  rule: LayerRule,
  setting: Setting,
): Omit<Translated, 'wrapped'> {
  const {who, notes} = setting;
  const inner = layer.wrapped.map(({key}) => key);
  const config: Json = {};
  for (const [key, value] of Object.entries(given)) {
    if (inner.includes(key)) continue;
    const allowed = hasOwn(rule.only, key) ? rule.only[key] : undefined;
    if (allowed && !allowed.allows(value, given)) {
      throw refusal(who, `tf.js has no such ${key}`, key, value);
    }
    if (rule.same.includes(key)) {
      config[key] = translateObject(key, value, setting);
    } else if (hasOwn(rule.renamed, key)) {
      config[rule.renamed[key] ?? key] = value;
    } else if (COMMON.includes(key) || isOfInput(key)) {
      config[key] = value;
    } else if (key === 'activity_regularizer' && value != null) {
      notes.add('tf.js has no activity regularizers in training', who);
    } else if (!allowed && !BOOKKEEPING.includes(key) && value != null) {
      throw refusal(who, `tf.js has no ${key}`, key, value);
    }
  }
  return {className: rule.tfjs, config: {...config, name: layer.newName}};
}

/** Tells if a key describes the model's input, on a first layer. */
function isOfInput(key: string): boolean {
  return key === 'batch_input_shape' || key === 'dtype';
}

function wrappedIn(
  {className, wrapped}: GraphLayer,
  translateInner: TranslateInner,
  {who, isFromTfjs}: Setting,
): Wrapped[] {
  const inner = wrapped.map((each) => ({
    ...each,
    layer: translateInner(each.layer),
  }));
  return className === 'Bidirectional' && !isFromTfjs
    ? mergedDirections(inner, who)
    : inner;
}

/**
 * Keras 3 writes both directions of a Bidirectional; tf.js derives the backward
 * layer, and the names of both, from the forward one.
 */
function mergedDirections(
  [forward, backward]: readonly Wrapped[],
  who: string,
): Wrapped[] {
  if (!forward) return [];
  const {layer} = forward;
  if (backward && !isReverse(layer, backward.layer)) {
    const what =
      'tf.js has no backward layer that differs from the forward one';
    throw refusal(who, what, 'backward_layer', backward.layer.config);
  }
  const name = String(own(layer.config, 'name')).replace(/^forward_/, '');
  return [{...forward, layer: {...layer, config: {...layer.config, name}}}];
}

function isReverse(forward: GraphLayer, backward: GraphLayer): boolean {
  const comparable = (layer: GraphLayer): string => {
    const config = {...layer.config, name: '', go_backwards: false};
    return JSON.stringify(writeLayer({...layer, config}));
  };
  return (
    comparable(forward) === comparable(backward) &&
    own(forward.config, 'go_backwards') !== own(backward.config, 'go_backwards')
  );
}

/**
 * Replaces the dtype of an input by its name, and removes that of other layers.
 * tf.js computes in float32.
 */
function withPlainDtype(config: Json, {who, notes}: Setting): Json {
  const {dtype: given, ...rest} = config;
  const policy = isObject(given) ? own(given, 'config') : undefined;
  const dtype = isObject(policy) ? own(policy, 'name') : given;
  const isInput = 'batch_shape' in config || 'batch_input_shape' in config;
  if (isInput && typeof dtype === 'string') {
    return {...rest, dtype: inputDtype(dtype, who)};
  }
  if (dtype == null || dtype === 'float32') return rest;
  if (typeof dtype !== 'string' || !FLOATS.includes(dtype)) {
    throw refusal(who, 'tf.js computes only in float32', 'dtype', dtype);
  }
  notes.add(`tf.js computes in float32 instead of ${dtype}`, who);
  return rest;
}

function inputDtype(dtype: string, who: string): string {
  if (FLOATS.includes(dtype)) return 'float32';
  if (/^u?int(8|16|32|64)$/.test(dtype)) return 'int32';
  if (dtype === 'bool' || dtype === 'string') return dtype;
  throw refusal(who, 'tf.js has no inputs of this dtype', 'dtype', dtype);
}

function isLength(value: unknown): boolean {
  return (
    value === null || (Number.isSafeInteger(value) && (value as number) >= 0)
  );
}

/** If true, tf.js has a layer registered under this name, by anyone. */
function isRegistered(className: string): boolean {
  const {classNameMap} = serialization.SerializationMap.getMap();
  const cls = hasOwn(classNameMap, className)
    ? classNameMap[className]?.[0]
    : undefined;
  const prototype = (cls as {prototype?: unknown} | undefined)?.prototype;
  return prototype instanceof tfLayers.Layer;
}

/** Checks that a custom layer, which loads unchanged, is registered. */
function checkRegistered(
  className: string,
  isNormalization: boolean,
  who: string,
): void {
  if (isRegistered(className)) return;
  const what = isNormalization
    ? 'this normalization is not available in this version'
    : 'tf.js has no such layer, and none is registered under the name';
  throw refusal(who, what, 'class_name', className);
}
