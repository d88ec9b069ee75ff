import type {
  layers,
  LayersModel,
  SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import {refusal} from '../../../util/received.js';
import {
  type Call,
  type GraphLayer,
  type GraphModel,
  whoIs,
} from '../../graph/graph.js';
import {innerLayers, isModel} from '../../graph/live_model.js';
import {
  inputConfig,
  layerInKeras,
  type WriteSettings,
} from './layer_in_keras.js';

const BIDIRECTIONAL = 'Bidirectional';

/** Topic of a warning. */
const SHARED =
  'Keras cannot load a layer that several models share; it becomes one layer for each, ' +
  'and they train apart';

/**
 * Translates a live model into a graph of Keras 3's layers, each with its live one.
 *
 * @param graph The model, as `readTfjs` reads it with its live layers.
 * @throws Error naming the layer and the option that Keras does not have.
 */
export function modelInKeras(
  graph: GraphModel,
  model: LayersModel,
  settings: WriteSettings,
): GraphModel {
  for (const layer of sharedByModels(model)) {
    const who = {className: layer.getClassName(), name: layer.name};
    settings.notes.add(SHARED, whoIs(who));
  }
  return new Translator(settings).model(graph, model, true);
}

/** Lists layers with weights that are in more than one of the models within a model. */
function sharedByModels(model: LayersModel): layers.Layer[] {
  const seen = new Set<layers.Layer>();
  const shared = new Set<layers.Layer>();
  const visit = (layer: layers.Layer): void => {
    if (seen.has(layer)) {
      if (layer.weights.length > 0) shared.add(layer);
      return;
    }
    seen.add(layer);
    innerLayers(layer).forEach(visit);
  };
  model.layers.forEach(visit);
  return [...shared];
}

class Translator {
  constructor(private readonly settings: WriteSettings) {}

  /** @param trainable If false, a model around it is frozen. */
  model(graph: GraphModel, live: LayersModel, trainable: boolean): GraphModel {
    const names = new Names(this.settings);
    const isTrainable = trainable && live.trainable;
    const called = callsIn(live);
    const all = graph.layers.map((layer): GraphLayer => {
      const translated = this.layer(layer, isTrainable, !graph.isSequential);
      const nodes = layer.live ? (called.get(layer.live) ?? []) : [];
      return {
        ...translated,
        newName: names.next(layer),
        calls: translated.calls.map((call, i) => ({
          ...call,
          shapes: nodes[i]?.inputShapes ?? [],
        })),
      };
    });
    return {
      ...graph,
      className: graph.isSequential ? 'Sequential' : 'Functional',
      newName: cleaned(graph.name),
      // Keras would give it to all layers inside.
      config: {},
      ...(graph.isSequential
        ? {layers: withInput(all, live, names)}
        : withAllInputs(all, live, names)),
    };
  }

  private layer(
    layer: GraphLayer,
    trainable: boolean,
    isCalled: boolean,
  ): GraphLayer {
    const {live, model, config} = layer;
    const isTrainable =
      trainable && (live?.trainable ?? config.trainable !== false);
    if (model && live && isModel(live)) {
      const inner = this.model(model, live, trainable);
      return {...layer, className: inner.className, model: inner};
    }
    const become = layerInKeras(layer, this.settings);
    // An RNN of tf.js repeats the cells of its cell.
    const [inside] = layer.wrapped;
    const inner = layer.wrapped.filter(({key}) => key === inside?.key);
    const wrapped = inner.map((each) => ({
      ...each,
      layer: named(this.layer(each.layer, isTrainable, false), layer),
    }));
    // Not every layer without weights takes it.
    const isFrozen = !isTrainable && (live?.weights.length ?? 0) > 0;
    return {
      ...layer,
      className: become.className,
      config: {
        ...become.config,
        ...(isFrozen && {trainable: false}),
        ...(become.className !== 'InputLayer' && {dtype: 'float32'}),
      },
      wrapped,
      calls: this.calls(layer, become.training, isCalled),
    };
  }

  private calls(
    layer: GraphLayer,
    training: boolean | undefined,
    isCalled: boolean,
  ): Call[] {
    const {notes} = this.settings;
    if (training !== undefined) {
      if (isCalled) {
        notes.add(
          'Keras keeps to `statistics` where the model itself is called; its ' +
            'predict and fit choose for all layers',
          whoIs(layer),
        );
      } else if (training) {
        const what =
          'Keras takes statistics of batches in prediction only by a call in a ' +
          'functional model, and this layer is in a sequential model or a wrapper';
        throw refusal(whoIs(layer), what, 'statistics', 'batch');
      }
    }
    return layer.calls.map((call) => {
      // tf.js itself ignores the training argument.
      const given = Object.entries(call.constants).find(
        ([name]) => name !== 'training',
      );
      if (given) {
        const what = 'its call cannot be written with this argument';
        throw refusal(whoIs(layer), what, ...given);
      }
      return {...call, constants: {}, training};
    });
  }
}

/** Gives layers the names that Keras takes, which have no slash. */
class Names {
  private readonly used = new Set<string>();

  constructor(private readonly settings: WriteSettings) {}

  next(layer: Pick<GraphLayer, 'name'>): string {
    const base = cleaned(layer.name);
    let name = base;
    for (let i = 1; this.used.has(name); i++) name = `${base}_${i}`;
    this.used.add(name);
    if (name !== layer.name) {
      const topic = 'Keras needs unique layer names without slashes; renamed';
      this.settings.notes.add(topic, `${layer.name} → ${name}`);
    }
    return name;
  }
}

function cleaned(name: string): string {
  return name.replace(/\//g, '_');
}

/** tf.js does not list inputs that no output depends on, and Keras does. */
function withAllInputs(
  all: readonly GraphLayer[],
  {inputLayers, inputs}: LayersModel,
  names: Names,
): Pick<GraphModel, 'layers' | 'inputs'> {
  const listed = new Set(all.map(({name}) => name));
  const missing = inputs.flatMap((input, i) => {
    const {name} = inputLayers[i] ?? input;
    return listed.has(name) ? [] : [inputLayer(name, input, names)];
  });
  return {
    layers: [...all, ...missing],
    inputs: inputLayers.map(({name}) => ({layer: name, call: 0, output: 0})),
  };
}

function inputLayer(
  name: string,
  {shape, dtype}: SymbolicTensor,
  names: Names,
): GraphLayer {
  return {
    className: 'InputLayer',
    name,
    newName: names.next({name}),
    config: inputConfig(shape, dtype),
    calls: [],
    wrapped: [],
  };
}

/** Keras lists the input of a sequential model. */
function withInput(
  all: readonly GraphLayer[],
  live: LayersModel,
  names: Names,
): GraphLayer[] {
  const [first] = all;
  const [input] = live.inputs;
  if (first?.className === 'InputLayer' || input === undefined) return [...all];
  const name = live.inputNames[0] ?? `${live.name}_input`;
  return [inputLayer(name, input, names), ...all];
}

/** Names a layer inside another. Keras names both directions after it, as tf.js does. */
function named(inner: GraphLayer, outer: GraphLayer): GraphLayer {
  const {newName} = inner;
  const isDirection = outer.className === BIDIRECTIONAL;
  const name = isDirection ? newName.replace(/^forward_/, '') : newName;
  return {...inner, newName: cleaned(name)};
}

type Node = layers.Layer['inboundNodes'][number];

/** The calls of a model's layers that belong to it, in their order. */
function callsIn({nodesByDepth}: LayersModel): Map<layers.Layer, Node[]> {
  const inModel = new Set<unknown>(Object.values(nodesByDepth).flat());
  const found = new Map<layers.Layer, Node[]>();
  for (const node of inModel as Set<Node>) {
    const {outboundLayer: layer} = node;
    if (found.has(layer)) continue;
    const calls = layer.inboundNodes.filter((each) => inModel.has(each));
    found.set(layer, calls);
  }
  return found;
}
