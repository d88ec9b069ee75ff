import type {Json} from '../../graph/json.js';

/* A model as a model.json of Keras describes it, read and checked. */

/** One of the tensors that a layer made. */
export interface TensorRef {
  readonly layer: string;
  /** Which call of the layer made it, from 0. */
  readonly call: number;
  /** Which of the call's outputs it is. */
  readonly output: number;
}

/** One use of a layer in a functional model. */
export interface Call {
  readonly inputs: readonly TensorRef[];
  /** The names of the inputs, where they are given by names. */
  readonly names?: readonly string[];
  /** The masks of the inputs that were given by hand, or that Keras 3 wrote down. */
  readonly masks?: ReadonlyArray<TensorRef | undefined>;
  /** What `training` was given by hand. */
  readonly training?: boolean;
  /** Arguments that are no tensors, by position or by name. */
  readonly constants: Readonly<Json>;
  /** The shapes that the file says the inputs have, where it does. */
  readonly shapes: readonly unknown[];
}

export interface KerasLayer {
  readonly className: string;
  /** Its name in the file. */
  readonly name: string;
  /** Its name in tf.js. */
  newName: string;
  /** A copy of the file's, which may be changed. */
  readonly config: Json;
  readonly calls: readonly Call[];
  /** The layers within it, if it is a model. */
  readonly model?: KerasModel;
  /** The layers that a wrapper wraps. */
  readonly wrapped: readonly Wrapped[];
  /** If true, it is an operation of TensorFlow on tensors of any ranks. */
  readonly isOperation: boolean;
}

/** A layer in the config of another, and where it stands there. */
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
  /** The names by which a call may give its inputs, in their order. */
  readonly inputNames: readonly string[];
  readonly outputs: readonly TensorRef[];
  /** The shape of a sequential model's input, where no layer says it. */
  readonly inputShape?: readonly unknown[];
  readonly trainable: boolean;
}

/** The layer as messages name it. */
export function whoIs({className, name}: KerasLayer): string {
  return `${className} ${name}`;
}

/** A model, the models in it, and those in wrappers, outermost first. */
export function modelsIn(model: KerasModel): KerasModel[] {
  return [model, ...model.layers.flatMap(modelsUnder)];
}

function modelsUnder({model, wrapped}: KerasLayer): KerasModel[] {
  const own = model ? modelsIn(model) : [];
  return [...own, ...wrapped.flatMap(({layer}) => modelsUnder(layer))];
}

/** The layer itself, or what it wraps. */
export function withWrapped(layer: KerasLayer): KerasLayer[] {
  return [layer, ...layer.wrapped.flatMap((each) => withWrapped(each.layer))];
}
