import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {isModel} from '../../graph/live_model.js';
import {
  type GraphLayer,
  type GraphModel,
  modelsIn,
  whoIs,
} from '../../graph/graph.js';
import {refusal} from '../../../util/received.js';
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

/**
 * Returns the error for a model whose file has too few weights, if it has a
 * layer with weights that may be in two models at once: of the same class, name
 * and config. Keras shares such a layer, and writes its weights once.
 */
export function whySharedIsMissing(model: GraphModel): Error | undefined {
  const seen = new Map<string, GraphModel>();
  for (const each of modelsIn(model)) {
    for (const layer of each.layers) {
      const {className, name, config} = layer;
      // Keras numbers the objects of a shared layer's config in one of its places.
      const key = JSON.stringify([className, name, config], (part, value) =>
        part === 'shared_object_id' ? undefined : (value as unknown),
      );
      const other = seen.get(key);
      seen.set(key, each);
      if (!other || layer.model || !key.includes('_initializer')) continue;
      const what =
        `it is in the models ${other.name} and ${each.name}, and the file has ` +
        'too few weights for two layers; tf.js cannot share a layer between ' +
        'models, so give one of them a copy of the layer in Keras, with the ' +
        'same weights';
      const models = [other.name, each.name];
      return refusal(whoIs(layer), what, 'models', models);
    }
  }
  return undefined;
}
