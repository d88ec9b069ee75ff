import {
  type LayerDescription,
  optionsOf,
} from '../../../layer_support/description.js';
import {isWithoutEffect} from '../../../layer_support/foreign_config.js';
import {hasOwn} from '../../../layer_support/options.js';
import {isOwnLayer} from '../../../layer_support/registration.js';
import {refusal} from '../../../util/received.js';
import {type GraphLayer, whoIs} from '../../graph/graph.js';
import {camelCase, type Json, own} from '../../graph/json.js';
import type {Notes} from '../../../util/warnings.js';
import {
  keysInKeras,
  type LayerRule,
  ruleBack,
} from '../translate/layer_rules.js';
import {normalizationFor} from '../translate/normalizations.js';
import {objectInKeras} from '../translate/objects.js';

/** Settings of writing layers. */
export interface WriteSettings {
  /** If true, batch normalizations are written to share statistics among devices. */
  readonly synchronized: boolean;
  readonly notes: Notes;
}

/** A layer of Keras 3, without its calls and the layers inside it. */
export interface InKeras {
  readonly className: string;
  readonly config: Json;
  /** The `training` argument that its calls need. */
  readonly training?: boolean;
}

/** Keys that are written elsewhere, or that Keras takes from elsewhere. */
const APART: readonly string[] = [
  'name',
  'trainable',
  'batch_input_shape',
  'dtype',
];

/**
 * Keys of tf.js's own layers that follow from other keys, or from shapes that the model
 * has anyway.
 */
const REDUNDANT: readonly string[] = ['rank', 'input_length', 'num_constants'];

/** Topic of a warning. */
const LEFT_OUT = 'left out, as Keras does not have it; it matters in training';

/**
 * Translates a layer of tf.js or of this package, other than a model, to one of Keras 3.
 *
 * @throws Error naming the layer and the option that Keras does not have.
 */
export function layerInKeras(
  layer: GraphLayer,
  settings: WriteSettings,
): InKeras {
  const {className, config} = layer;
  const who = whoIs(layer);
  if (className === 'InputLayer') return inputInKeras(config);
  const description = normalizationFor(className);
  if (description) return normalizationInKeras(layer, description, settings);
  const rule = ruleBack(className);
  if (rule === undefined || rule.isKeras2 === true) {
    throw refusal(who, 'Keras 3 has no such layer', 'className', className);
  }
  return {className: rule.keras, config: stockConfig(layer, rule, settings)};
}

/** Writes the shape that a model's input has. */
export function inputConfig(shape: unknown, dtype: unknown = 'float32'): Json {
  return {batch_shape: shape, dtype, sparse: false, ragged: false};
}

function inputInKeras({batch_input_shape: shape, dtype}: Json): InKeras {
  return {className: 'InputLayer', config: inputConfig(shape, dtype)};
}

function stockConfig(
  layer: GraphLayer,
  rule: LayerRule,
  {notes}: WriteSettings,
): Json {
  const {config: given, wrapped} = layer;
  const who = whoIs(layer);
  const inner = wrapped.map(({key}) => key);
  // An RNN of tf.js repeats the keys of its cell.
  const repeated = wrapped.flatMap(({layer}) => Object.keys(layer.config));
  const renamed = Object.values(rule.renamed);
  const config: Json = {};
  for (const [key, value] of Object.entries(given)) {
    if ([...APART, ...inner, ...REDUNDANT].includes(key)) continue;
    const allowed = hasOwn(rule.only, key) ? rule.only[key] : undefined;
    if (allowed && !allowed.allows(value, given)) {
      throw refusal(who, `Keras has no such ${key}`, key, value);
    }
    if (rule.same.includes(key) || renamed.includes(key)) {
      config[key] = objectInKeras(key, value, {who, notes});
      if (key.endsWith('_constraint') && value != null) {
        const topic =
          'Keras applies constraints in training, and tf.js does not';
        notes.add(topic, `${who} (${key})`);
      }
    } else if (!allowed && !repeated.includes(key) && !isNothing(value)) {
      throw refusal(who, `Keras has no ${key}`, key, value);
    }
  }
  return keysInKeras(rule, config);
}

function isNothing(value: unknown): boolean {
  return value == null || value === false;
}

function normalizationInKeras(
  layer: GraphLayer,
  description: LayerDescription,
  {synchronized, notes}: WriteSettings,
): InKeras {
  const {className, config: given, live} = layer;
  const {kerasNames, asKeras3, notInKeras3 = [], label} = description;
  const who = `${label ?? className} ${layer.name}`;
  const [first = className] = kerasNames;
  if (asKeras3 === null) {
    throw refusal(who, 'Keras 3 has no such layer', 'className', className);
  }
  const become = asKeras3 ?? {className: first, config: {}};
  const isBatchNorm = become.className === 'BatchNormalization';
  const options = optionsOf(description);
  const inner = layer.wrapped.map(({key}) => key);
  const config: Json = {...become.config};
  if (isBatchNorm) config.synchronized = synchronized;
  for (const [key, value] of Object.entries(given)) {
    if (APART.includes(key) || inner.includes(key)) continue;
    const name = camelCase(key);
    const {
      ours,
      isKeras3 = ours === undefined,
      default: usual,
    } = options[name] ?? {};
    if (isKeras3 && !notInKeras3.includes(name)) {
      // Not every version of Keras 3 has it.
      if (ours !== undefined && value === usual) continue;
      if (isWithoutEffect(description, name, value, given)) continue;
      config[key] = objectInKeras(key, value, {who, notes});
    } else if (notInKeras3.includes(name) || ours === 'training') {
      if (value !== usual && !isCarriedOut(name, value)) {
        notes.add(LEFT_OUT, `${who} (${name})`);
      }
    } else if (name !== 'statistics' && value !== usual) {
      throw refusal(who, `Keras 3 has no such ${name}`, name, value);
    }
  }
  if (isBatchNorm) config.axis = onlyAxis(own(given, 'axis'), who);
  const training =
    live && isOwnLayer(live)
      ? trainingFor(own(given, 'statistics'))
      : undefined;
  return {className: become.className, config, training};
}

/** If true, the weights of the file hold what the option says. */
function isCarriedOut(name: string, value: unknown): boolean {
  return value === null || /(Initializer|IsNormalized)$/.test(name);
}

/** Returns the `training` argument by which Keras uses the statistics of a mode. */
function trainingFor(mode: unknown): boolean | undefined {
  if (mode === 'batch') return true;
  return mode === 'moving' ? false : undefined;
}

function onlyAxis(axis: unknown, who: string): unknown {
  if (!Array.isArray(axis)) return axis;
  if (axis.length === 1) return axis[0] as unknown;
  const what = 'Keras has batch normalization of only one axis';
  throw refusal(who, what, 'axis', axis);
}
