import {hasOwn} from '../../../layer_support/options.js';
import {
  type Json,
  listAt,
  own,
  recordAt,
  safeCopy,
  stringAt,
} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import type {
  Call,
  GraphLayer,
  GraphModel,
  TensorRef,
  Wrapped,
} from '../../graph/graph.js';
import {readCalls, readTensorRef} from './read_calls.js';
import {isObject} from '../../../util/is_object.js';

const SEQUENTIAL = 'Sequential';
const MODELS: readonly string[] = [SEQUENTIAL, 'Functional', 'Model'];

/** The keys under which wrappers keep their layers. */
const WRAPPER_KEYS: Readonly<Record<string, readonly string[]>> = {
  Bidirectional: ['layer', 'backward_layer'],
  RNN: ['cell'],
  SpectralNormalization: ['layer'],
  StackedRNNCells: ['cells'],
  TimeDistributed: ['layer'],
};

/** Keras 2's class for operations on tensors outside layers. */
const OPERATION = 'TFOpLambda';

/** Operations of TensorFlow that tf.js has as layers. */
const MERGES: Readonly<Record<string, string>> = {
  '__operators__.add': 'Add',
  'math.add': 'Add',
  'math.add_n': 'Add',
  'math.multiply': 'Multiply',
  'math.maximum': 'Maximum',
  'math.minimum': 'Minimum',
};

/** The contents of a model.json. */
export interface KerasFile {
  readonly model: GraphModel;
  /** If true, Keras 3 wrote it, which gives some words another meaning. */
  readonly isKeras3: boolean;
  /** If true, tf.js wrote it, and reads its own layers unchanged. */
  readonly isFromTfjs: boolean;
}

/**
 * Reads the topology of a model.json from Keras 2, Keras 3 or tf.js.
 *
 * @param who The first word of an error.
 * @throws Error if it is not the topology of a sequential or functional model.
 */
export function readTopology(topology: unknown, who: string): KerasFile {
  const json = safeCopy(topology, who);
  if (!isObject(json)) {
    throw refusal(who, 'there is no model topology', 'modelTopology', topology);
  }
  const inner = own(json, 'model_config') ?? json;
  if (!isObject(inner)) {
    throw refusal(who, 'model_config is not an object', 'model_config', inner);
  }
  const version = own(json, 'keras_version') ?? own(inner, 'keras_version');
  const isKeras3 = isByKeras3(version, inner);
  const isFromTfjs = typeof version === 'string' && version.startsWith('tfjs');
  return {model: readModel(inner, who, isKeras3), isKeras3, isFromTfjs};
}

/** The topology of Keras 3's own to_json has no version. */
function isByKeras3(version: unknown, inner: Json): boolean {
  if (typeof version === 'string') return /^[3-9]/.test(version);
  const text = JSON.stringify(inner);
  return /"(batch_shape|DTypePolicy|__keras_tensor__)"/.test(text);
}

function readModel(json: Json, outer: string, isKeras3: boolean): GraphModel {
  const className = stringAt(json, 'class_name', outer);
  if (!MODELS.includes(className)) {
    const what = 'only sequential and functional models can be loaded';
    throw refusal(outer, what, 'class_name', className);
  }
  const config = modelConfigIn(json, outer);
  const name = stringAt(config, 'name', `${outer}: ${className}`);
  const who = `${className} ${name}`;
  const layers = listAt(config, 'layers', who).map((layer) =>
    readLayer(layer, who, isKeras3),
  );
  const isSequential = className === SEQUENTIAL;
  checkNames(layers, who);
  // Keras 3 counts from 0 in calls, but for a model's inputs and outputs from 1
  // if the layer is a functional model. Keras 2 and tf.js count the same way
  // everywhere.
  const inCalls = (ref: TensorRef): TensorRef =>
    isKeras3 ? ref : countedFromZero(ref, layers, beginsWithInput, who);
  const atEnds = (ref: TensorRef): TensorRef =>
    isKeras3 ? countedFromZero(ref, layers, isFunctional, who) : inCalls(ref);
  return {
    className,
    name,
    newName: name,
    isSequential,
    layers: layers.map((layer) => ({
      ...layer,
      calls: layer.calls.map((call) => ({
        ...call,
        inputs: inputsOf(call, layer).map(inCalls),
        masks: call.masks?.map((ref) => ref && inCalls(ref)),
      })),
    })),
    inputs: isSequential
      ? []
      : tensorsIn(own(config, 'input_layers'), who).map(atEnds),
    outputs: isSequential
      ? []
      : tensorsIn(own(config, 'output_layers'), who).map(atEnds),
    inputNames: isSequential ? [] : inputNamesIn(config, who),
    inputShape: inputShapeIn(json, config),
    config: {},
  };
}

/** Before Keras 2.2 the config of a sequential model was its list of layers. */
function modelConfigIn(json: Json, outer: string): Json {
  const config = own(json, 'config');
  return Array.isArray(config)
    ? {name: 'sequential', layers: config as unknown[]}
    : recordAt(json, 'config', outer);
}

function readLayer(
  json: unknown,
  outer: string,
  isKeras3: boolean,
): GraphLayer {
  if (!isObject(json)) {
    throw refusal(outer, 'one of its layers is not an object', 'layer', json);
  }
  const className = classNameIn(json, outer);
  const config = recordAt(json, 'config', `${outer}: ${className}`);
  const named = own(json, 'name') === undefined ? config : json;
  const name = stringAt(named, 'name', `${outer}: ${className}`);
  const who = `${className} ${name}`;
  const nodes = own(json, 'inbound_nodes') ?? [];
  if (!Array.isArray(nodes)) {
    throw refusal(who, 'inbound_nodes is not a list', 'inbound_nodes', nodes);
  }
  const isModel = MODELS.includes(className);
  const merge = className === OPERATION ? mergeIn(config) : undefined;
  const isOperation = merge !== undefined;
  return {
    className: merge ?? className,
    name,
    newName: name,
    // The operation's function has become the class name.
    config: isOperation ? {name} : config,
    calls: readCalls(nodes, who, isOperation),
    isOperation,
    isOfOps: /^keras\.(src\.)?ops\b/.test(String(own(json, 'module'))),
    model: isModel ? readModel(json, who, isKeras3) : undefined,
    wrapped: (hasOwn(WRAPPER_KEYS, className)
      ? (WRAPPER_KEYS[className] ?? [])
      : []
    ).flatMap((key) => readWrapped(config, key, who, isKeras3)),
  };
}

/**
 * Returns the layer of tf.js that does the same as an operation of TensorFlow.
 */
function mergeIn(config: Json): string | undefined {
  const name = own(config, 'function');
  return typeof name === 'string' && hasOwn(MERGES, name)
    ? MERGES[name]
    : undefined;
}

/** Returns the inputs of a call in the order of the called model's inputs. */
function inputsOf(
  {inputs, names}: Call,
  {model, className, name}: GraphLayer,
): readonly TensorRef[] {
  if (names === undefined || model === undefined || model.isSequential) {
    return inputs;
  }
  const {inputNames = []} = model;
  return inputNames.map((wanted) => {
    const ref = inputs[names.indexOf(wanted)];
    if (ref) return ref;
    const what = `it is called without its input ${wanted}`;
    throw refusal(`${className} ${name}`, what, 'inputs', names);
  });
}

/**
 * Registered classes from outside Keras have a package's name before theirs.
 */
function classNameIn(json: Json, outer: string): string {
  const name = stringAt(json, 'class_name', outer);
  const registered = own(json, 'registered_name');
  const isForeign =
    typeof registered === 'string' && registered.endsWith(`>${name}`);
  return isForeign && !registered.startsWith('Custom>') ? registered : name;
}

function readWrapped(
  config: Json,
  key: string,
  who: string,
  isKeras3: boolean,
): Wrapped[] {
  const value = own(config, key);
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    return [{key, layer: readLayer(value, who, isKeras3)}];
  }
  return value.map((layer, index) => ({
    key,
    index,
    layer: readLayer(layer, who, isKeras3),
  }));
}

/** Reads inputs or outputs: one tensor, several or, in Keras 3, named ones. */
function tensorsIn(value: unknown, who: string): TensorRef[] {
  if (isObject(value)) {
    const names = Object.keys(value).sort();
    return names.flatMap((name) => tensorsIn(value[name], who));
  }
  const isList = Array.isArray(value) && typeof value[0] !== 'string';
  return isList
    ? value.flatMap((item) => tensorsIn(item, who))
    : [readTensorRef(value, who)];
}

/** Keras 3 may name inputs; the others have their layers' names. */
function inputNamesIn(config: Json, who: string): string[] {
  const inputs = own(config, 'input_layers');
  return isObject(inputs)
    ? Object.keys(inputs).sort()
    : tensorsIn(inputs, who).map(({layer}) => layer);
}

/**
 * A reference with its call counted from 0.
 *
 * @param isCalled Tells if a model counts as called once before it is used: on
 *   its own inputs, which make its own outputs.
 */
function countedFromZero(
  ref: TensorRef,
  layers: readonly GraphLayer[],
  isCalled: (model: GraphModel) => boolean,
  who: string,
): TensorRef {
  const model = layers.find(({name}) => name === ref.layer)?.model;
  if (model === undefined || !isCalled(model)) return ref;
  if (ref.call > 0) return {...ref, call: ref.call - 1};
  const what = `a tensor is internal to ${ref.layer}`;
  throw refusal(who, what, 'tensor', [ref.layer, ref.call, ref.output]);
}

function isFunctional({isSequential}: GraphModel): boolean {
  return !isSequential;
}

function beginsWithInput({isSequential, layers}: GraphModel): boolean {
  const [first] = layers;
  if (!isSequential || first === undefined) return true;
  return (
    first.className === 'InputLayer' ||
    own(first.config, 'batch_input_shape') !== undefined ||
    (first.model !== undefined && beginsWithInput(first.model))
  );
}

function checkNames(layers: readonly GraphLayer[], who: string): void {
  const seen = new Set<string>();
  for (const {name} of layers) {
    if (seen.has(name)) {
      throw refusal(who, 'two of its layers have the same name', 'name', name);
    }
    seen.add(name);
  }
}

/**
 * The input shape that a sequential model was built with, if no layer has it.
 */
function inputShapeIn(json: Json, config: Json): unknown[] | undefined {
  const built = own(json, 'build_config');
  const shape =
    own(config, 'build_input_shape') ??
    (isObject(built) ? own(built, 'input_shape') : undefined);
  return Array.isArray(shape) ? (shape as unknown[]) : undefined;
}
