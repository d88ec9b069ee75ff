import type {Json} from '../../graph/json.js';

/* A model as a model.json of Keras describes it, read and checked. */

/** One of the tensors that a layer made. */
export interface TensorRef {
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

export interface KerasLayer {
  readonly className: string;
  /** Its name in the file. */
  readonly name: string;
  /** Its name in tf.js. */
  newName: string;
  /** A copy of the file's config, which may be changed. */
  readonly config: Json;
  readonly calls: readonly Call[];
  /** The model, if the layer is one. */
  readonly model?: KerasModel;
  /** The layers that a wrapper wraps. */
  readonly wrapped: readonly Wrapped[];
  /** If true, it is an operation of TensorFlow on tensors of any ranks. */
  readonly isOperation: boolean;
}

/** A layer in the config of another, and its place there. */
export interface Wrapped {
  readonly key: string;
  /** Its place, where the key holds a list. */
  readonly index?: number;
  readonly layer: KerasLayer;
}

export interface KerasModel {
  readonly className: string;
  readonly name: string;
  newName: string;
  readonly isSequential: boolean;
  readonly layers: KerasLayer[];
  /** Of a functional model. */
  readonly inputs: readonly TensorRef[];
  /** The names by which a call may pass its inputs, in order. */
  readonly inputNames: readonly string[];
  readonly outputs: readonly TensorRef[];
  /** The input shape of a sequential model whose layers do not give it. */
  readonly inputShape?: readonly unknown[];
  readonly trainable: boolean;
}

/** Returns the layer as messages name it. */
export function whoIs({className, name}: KerasLayer): string {
  return `${className} ${name}`;
}

/** Lists a model, the models in it, and those in wrappers, outermost first. */
export function modelsIn(model: KerasModel): KerasModel[] {
  return [model, ...model.layers.flatMap(modelsUnder)];
}

function modelsUnder({model, wrapped}: KerasLayer): KerasModel[] {
  const own = model ? modelsIn(model) : [];
  return [...own, ...wrapped.flatMap(({layer}) => modelsUnder(layer))];
}

/** Lists the layer and all that it wraps. */
export function withWrapped(layer: KerasLayer): KerasLayer[] {
  return [layer, ...layer.wrapped.flatMap((each) => withWrapped(each.layer))];
}
