import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {isObject} from '../../util/is_object.js';
import type {
  Call,
  GraphLayer,
  GraphModel,
  TensorRef,
  Wrapped,
} from './graph.js';
import type {Json} from './json.js';
import {innerLayers, isModel} from './live_model.js';

/** The keys of a graph in files, and in configs. */
const KEYS = {
  file: {
    className: 'class_name',
    nodes: 'inbound_nodes',
    inputs: 'input_layers',
    outputs: 'output_layers',
    depthMultiplier: 'depth_multiplier',
  },
  config: {
    className: 'className',
    nodes: 'inboundNodes',
    inputs: 'inputLayers',
    outputs: 'outputLayers',
    depthMultiplier: 'depthMultiplier',
  },
} as const;

/** The form of JSON: that of a model.json, or of `getConfig`. */
type Form = keyof typeof KEYS;

/** Lists the layers of a model in the order of its JSON. */
export type Order = (model: LayersModel) => readonly layers.Layer[];

/** The order in JSON made from the model itself. */
export const AS_LISTED: Order = (model) => model.layers;

/** A built model, and the order of its layers. */
export interface Live {
  readonly model: LayersModel;
  readonly order: Order;
}

/** The keys under which wrappers keep their layers. */
const WRAPPED: readonly string[] = ['layer', 'cell', 'cells'];

/** The part of a model.json's topology that describes the model. */
export function modelJsonIn(topology: Json): Json {
  const {model_config: inner = topology} = topology;
  return isObject(inner) ? inner : {};
}

/**
 * Reads the topology of a model.json that tf.js wrote. What is malformed is kept
 * as it is.
 *
 * @param live A model of the same config.
 */
export function readTfjs(topology: Json, live?: Live): GraphModel {
  return new Reader('file', live?.order ?? AS_LISTED).model(
    modelJsonIn(topology),
    live?.model,
  );
}

/** Reads a live model, with the configs of its layers as `getConfig` has them. */
export function graphOf(model: LayersModel): GraphModel {
  const json = {className: model.getClassName(), config: model.getConfig()};
  return new Reader('config', AS_LISTED).model(json, model);
}

class Reader {
  private readonly keys: (typeof KEYS)[Form];

  constructor(
    form: Form,
    private readonly order: Order,
  ) {
    this.keys = KEYS[form];
  }

  model(json: Json, live?: layers.Layer): GraphModel {
    const {inputs, outputs} = this.keys;
    const whole = isObject(json.config) ? json.config : {};
    const {
      layers: list = [],
      [inputs]: starts,
      [outputs]: ends,
      ...config
    } = whole;
    const name = String(config.name);
    const lives = live && isModel(live) ? this.order(live) : [];
    const isSequential = !Array.isArray(ends);
    const all = isLayers(list)
      ? list.map((each, i) => this.layer(each, lives[i]))
      : [];
    const models = new Set(all.filter(isOfModel).map((layer) => layer.name));
    const numbered = (ref: TensorRef): TensorRef =>
      // A model has been called once before its first use.
      models.has(ref.layer) ? {...ref, call: ref.call - 1} : ref;
    return {
      className: String(json[this.keys.className]),
      name,
      newName: name,
      isSequential,
      config,
      layers: all.map((layer) => ({
        ...layer,
        calls: layer.calls.map((call) => ({
          ...call,
          inputs: call.inputs.map(numbered),
        })),
      })),
      inputs: refsIn(starts).map(numbered),
      outputs: refsIn(ends).map(numbered),
    };
  }

  private layer(json: Json, live?: layers.Layer): GraphLayer {
    const config = json.config as Json;
    const name = [json.name, config.name, live?.name].find(isString) ?? '';
    const {[this.keys.nodes]: nodes, [this.keys.className]: className} = json;
    const isOfLayers = isLayers(config.layers);
    const [inner] = live ? innerLayers(live) : [];
    return {
      className: String(className),
      name,
      newName: name,
      config: this.completed(config, live),
      calls: Array.isArray(nodes) ? nodes.map(callIn) : [],
      ...(isOfLayers && {model: this.model(json, live)}),
      ...(live && {live}),
      wrapped: isOfLayers
        ? []
        : WRAPPED.flatMap((key) => this.wrapped(key, config[key], inner)),
    };
  }

  private wrapped(
    key: string,
    value: unknown,
    live: layers.Layer | undefined,
  ): Wrapped[] {
    if (isLayers(value)) {
      return value.map((each, index) => ({
        ...{key, index},
        layer: this.layer(each),
      }));
    }
    return isLayer(value) ? [{key, layer: this.layer(value, live)}] : [];
  }

  /**
   * Restores the depth multiplier, which tf.js 4.22 leaves out of
   * SeparableConv2D's config.
   */
  private completed(config: Json, live: layers.Layer | undefined): Json {
    const {depthMultiplier} = (live ?? {}) as {depthMultiplier?: number};
    return depthMultiplier === undefined
      ? config
      : {[this.keys.depthMultiplier]: depthMultiplier, ...config};
  }
}

function isOfModel({model}: GraphLayer): boolean {
  return model !== undefined;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isLayer(json: unknown): json is Json {
  return isObject(json) && isObject(json.config);
}

function isLayers(json: unknown): json is Json[] {
  return Array.isArray(json) && json.every(isLayer);
}

function callIn(node: unknown): Call {
  const refs = Array.isArray(node) ? (node as unknown[]) : [];
  const [first] = refs;
  const constants: unknown = Array.isArray(first) ? first[3] : undefined;
  return {
    inputs: refsIn(refs),
    constants: isObject(constants) ? constants : {},
    shapes: [],
  };
}

function refsIn(list: unknown): TensorRef[] {
  const refs = Array.isArray(list) ? (list as unknown[]) : [];
  return refs.map((ref) => {
    const [layer, call, output] = ref as [string, number, number];
    return {layer, call, output};
  });
}

/** The new numbers of the calls of a layer, by the old ones. */
type Numbers = ReadonlyMap<number, number>;

/**
 * Writes a model as tf.js reads it, with its layers' new names.
 *
 * tf.js goes through the layers repeatedly and makes each call whose inputs
 * exist. It numbers calls as it makes them, so a call that waits for a later
 * layer swaps numbers with the next one, and references to both would be wrong.
 * Here the calls of each layer are in the order in which tf.js makes them.
 */
export function writeTfjs(model: GraphModel, form: Form = 'file'): Json {
  const config = model.isSequential
    ? {layers: model.layers.map((layer) => writeLayer(layer, form))}
    : writeFunctional(model, form);
  return {
    [KEYS[form].className]: model.className,
    config: {...model.config, ...config},
  };
}

/** Writes a layer without its calls. */
export function writeLayer(layer: GraphLayer, form: Form = 'file'): Json {
  if (layer.model) return writeTfjs(layer.model, form);
  const config = {...layer.config};
  for (const {key, index, layer: inner} of layer.wrapped) {
    const written = writeLayer(inner, form);
    const others = index === 0 ? [] : [config[key]].flat();
    config[key] = index === undefined ? written : [...others, written];
  }
  return {[KEYS[form].className]: layer.className, config};
}

function writeFunctional(model: GraphModel, form: Form): Json {
  const keys = KEYS[form];
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const numbers = numbersOf(layers);
  const write = ({layer: name, call, output}: TensorRef): unknown[] => {
    const layer = layers.get(name);
    const number = numbers.get(name)?.get(call) ?? call;
    // A model has been called once before its first use.
    const first = layer?.model ? 1 : 0;
    return [layer?.newName ?? name, number + first, output];
  };
  const writeCall = ({inputs, constants}: Call): unknown[] =>
    inputs.map((ref) => [...write(ref), constants]);
  return {
    layers: model.layers.map((layer) => ({
      name: layer.newName,
      ...writeLayer(layer, form),
      [keys.nodes]: inOrder(layer.calls, numbers.get(layer.name)).map(
        writeCall,
      ),
    })),
    [keys.inputs]: model.inputs.map(write),
    [keys.outputs]: model.outputs.map(write),
  };
}

function inOrder(calls: readonly Call[], numbers?: Numbers): Call[] {
  return calls
    .map((call, i) => ({call, number: numbers?.get(i) ?? i}))
    .sort((a, b) => a.number - b.number)
    .map(({call}) => call);
}

/**
 * Numbers the calls as tf.js makes them, but finishes all possible calls of a
 * layer before the next layer. In that order, calls that tf.js can make at once
 * always come first.
 */
function numbersOf(
  layers: ReadonlyMap<string, GraphLayer>,
): Map<string, Numbers> {
  const numbers = new Map<string, Map<number, number>>();
  const isThere = ({layer: name, call}: TensorRef): boolean => {
    const isInput = layers.get(name)?.calls.length === 0;
    return isInput || call < 0 || numbers.get(name)?.has(call) === true;
  };
  const makeNext = ({name, calls}: GraphLayer): boolean => {
    const made = numbers.get(name) ?? new Map<number, number>();
    numbers.set(name, made);
    const next = calls.findIndex(
      ({inputs}, i) => !made.has(i) && inputs.every(isThere),
    );
    if (next >= 0) made.set(next, made.size);
    return next >= 0;
  };
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const layer of layers.values()) {
      while (makeNext(layer)) isMoving = true;
    }
  }
  return numbers;
}
