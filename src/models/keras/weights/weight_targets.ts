import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {isModel} from '../../graph/walk_layers.js';
import type {GraphLayer, GraphModel} from '../../graph/graph.js';
import type {StoredWeight} from './stored_weights.js';

/** A weight that the model in tf.js needs from a file. */
export interface Target {
  readonly layer: GraphLayer;
  /** The names in the file of the models around the layer. */
  readonly around: readonly string[];
  /** The name that tf.js looks for. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly isTrainable: boolean;
}

/** A weight of the file, and its counterpart in the model. */
export interface Match {
  readonly stored: StoredWeight;
  readonly target: Target;
}

/** Lists the weights that a model needs, in the order of its file. */
export function targetsOf(model: GraphModel, trial: LayersModel): Target[] {
  return visit(model, trial, []);
}

function visit(
  model: GraphModel,
  built: LayersModel,
  around: readonly string[],
): Target[] {
  const byName = new Map(built.layers.map((layer) => [layer.name, layer]));
  return model.layers.flatMap((layer) => {
    const made = byName.get(layer.newName);
    // For example the input of a sequential model, which has no weights.
    if (made === undefined) return [];
    return ofLayer(layer, made, around);
  });
}

function ofLayer(
  layer: GraphLayer,
  made: layers.Layer,
  around: readonly string[],
): Target[] {
  const outer = [...around, layer.name];
  if (layer.model && isModel(made)) return visit(layer.model, made, outer);
  const [wrapped] = layer.wrapped;
  const {layer: inner} = made as {layer?: layers.Layer};
  // A wrapper has the weights of its layer, under names of its own; but not the
  // weights of a model.
  return wrapped?.layer.model && inner
    ? ofLayer(wrapped.layer, inner, outer)
    : weightsOf(layer, made, around);
}

function weightsOf(
  layer: GraphLayer,
  made: layers.Layer,
  around: readonly string[],
): Target[] {
  const trainable = new Set(made.trainableWeights);
  return made.weights.map((weight) => ({
    layer,
    around,
    name: weight.originalName,
    shape: weight.shape as number[],
    dtype: weight.dtype,
    isTrainable: trainable.has(weight),
  }));
}
