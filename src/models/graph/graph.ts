import type {layers} from '@tensorflow/tfjs-layers';
import type {Json} from './json.js';

/*
 * A model as a graph of layers. keras/read/ reads files of Keras into it; tfjs_json.ts
 * reads files and models of tf.js, and writes them.
 */

/** One of the tensors that a layer made. */
export interface TensorRef {
  /** The layer's `name`. */
  readonly layer: string;
  /** The call of the layer that made it, from 0. */
  readonly call: number;
  /** Its place among the call's outputs. */
  readonly output: number;
}

/** One use of a layer in a functional model. */
export interface Call {
  readonly inputs: readonly TensorRef[];
  /** The names of the inputs, where they are passed by name. */
  readonly names?: readonly string[];
  /** The masks of the inputs, if passed explicitly or written by Keras 3. */
  readonly masks?: ReadonlyArray<TensorRef | undefined>;
  /** The `training` argument, if passed explicitly. */
  readonly training?: boolean;
  /** Arguments other than tensors, by position or by name. */
  readonly constants: Readonly<Json>;
  /** The shapes of the inputs, where the file has them. */
  readonly shapes: readonly unknown[];
}

/** A layer in a graph. */
export interface GraphLayer {
  readonly className: string;
  /** Its name in the file. */
  readonly name: string;
  /** Its name in tf.js. */
  newName: string;
  /** A copy of the file's config, which may be changed. */
  readonly config: Json;
  /** None in a sequential model. */
  readonly calls: readonly Call[];
  /** The model, if the layer is one. */
  readonly model?: GraphModel;
  /** The layers that a wrapper wraps. */
  readonly wrapped: readonly Wrapped[];
  /** If true, it is an operation of TensorFlow on tensors of any ranks. */
  readonly isOperation?: boolean;
  /** If true, it is an operation of `keras.ops`. */
  readonly isOfOps?: boolean;
  /** The layer itself, where a built model belongs to the graph. */
  readonly live?: layers.Layer;
}

/** A layer in the config of another, and its place there. */
export interface Wrapped {
  readonly key: string;
  /** Its place, where the key holds a list. */
  readonly index?: number;
  readonly layer: GraphLayer;
}

/** A sequential or functional model. */
export interface GraphModel {
  readonly className: string;
  readonly name: string;
  newName: string;
  readonly isSequential: boolean;
  readonly layers: readonly GraphLayer[];
  /** Of a functional model. */
  readonly inputs: readonly TensorRef[];
  /** The names by which a call may pass its inputs, in order. */
  readonly inputNames?: readonly string[];
  readonly outputs: readonly TensorRef[];
  /** The input shape of a sequential model whose layers do not give it. */
  readonly inputShape?: readonly unknown[];
  /** The config as tf.js has it, without the graph. */
  readonly config: Json;
}

/** Returns the layer as messages name it. */
export function whoIs({
  className,
  name,
}: Pick<GraphLayer, 'className' | 'name'>): string {
  return `${className} ${name}`;
}

/** Returns a key for a tensor, unique within its model. */
export function keyOf({layer, call, output}: TensorRef): string {
  return JSON.stringify([layer, call, output]);
}

/** Lists a model, the models in it, and those in wrappers, outermost first. */
export function modelsIn(model: GraphModel): GraphModel[] {
  return [model, ...model.layers.flatMap(modelsUnder)];
}

function modelsUnder({model, wrapped}: GraphLayer): GraphModel[] {
  const own = model ? modelsIn(model) : [];
  return [...own, ...wrapped.flatMap(({layer}) => modelsUnder(layer))];
}

/** Lists the layer and all that it wraps. */
export function withWrapped(layer: GraphLayer): GraphLayer[] {
  return [layer, ...layer.wrapped.flatMap((each) => withWrapped(each.layer))];
}

/** The calls of a layer; in a sequential model, the one on the layer before. */
export function callsOf(
  {isSequential, layers: all}: GraphModel,
  layer: GraphLayer,
): ReadonlyArray<Pick<Call, 'inputs'>> {
  if (!isSequential) return layer.calls;
  const before = all[all.indexOf(layer) - 1];
  return before ? [{inputs: [outputOf(before)]}] : [];
}

/**
 * Counts the uses of each layer's outputs, by its name: those as the model's
 * outputs included.
 */
export function usesOf(model: GraphModel): Map<string, number> {
  const {isSequential, layers: all} = model;
  const used = isSequential
    ? all.map(outputOf)
    : [
        ...all.flatMap(({calls}) => calls.flatMap(({inputs}) => inputs)),
        ...model.outputs,
      ];
  const uses = new Map<string, number>();
  for (const {layer} of used) uses.set(layer, (uses.get(layer) ?? 0) + 1);
  return uses;
}

function outputOf({name}: GraphLayer): TensorRef {
  return {layer: name, call: 0, output: 0};
}

/**
 * Copies a model with some layers changed, also in nested models and wrappers.
 *
 * @param change Returns the layer, or its replacement. A path has the names
 *   of the models and wrappers around a layer, then its own, joined by `/`.
 */
export function mapLayers(
  model: GraphModel,
  change: (layer: GraphLayer, path: string) => GraphLayer,
  around = '',
): GraphModel {
  const visit = (layer: GraphLayer, outer: string): GraphLayer => {
    const path = `${outer}${layer.name}`;
    const changed = change(layer, path);
    const {model: inner, wrapped} = changed;
    return {
      ...changed,
      ...(inner && {model: mapLayers(inner, change, `${path}/`)}),
      wrapped: wrapped.map((each) => ({
        ...each,
        layer: visit(each.layer, `${path}/`),
      })),
    };
  };
  return {...model, layers: model.layers.map((layer) => visit(layer, around))};
}

/**
 * Copies a model without some layers.
 *
 * @param gone The names of the layers to leave out, each with the layer whose
 *   output replaces its own. Both are called once.
 */
export function withoutLayers(
  model: GraphModel,
  gone: ReadonlyMap<string, GraphLayer>,
): GraphModel {
  const moved = (ref: TensorRef): TensorRef => ({
    ...ref,
    layer: gone.get(ref.layer)?.name ?? ref.layer,
  });
  return {
    ...model,
    layers: model.layers
      .filter(({name}) => !gone.has(name))
      .map((layer) => ({
        ...layer,
        calls: layer.calls.map((call) => ({
          ...call,
          inputs: call.inputs.map(moved),
        })),
      })),
    outputs: model.outputs.map(moved),
  };
}
