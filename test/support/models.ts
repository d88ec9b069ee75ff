import * as tf from '@tensorflow/tfjs';
import {BatchNorm} from 'tfjs-normalization';
import {layersOf} from '../../src/models/graph/walk_layers.js';
import {valuesOf} from './tensors.js';

/** Returns a layer's output for a symbolic input. */
export function through(
  layer: tf.layers.Layer,
  input: tf.SymbolicTensor | tf.SymbolicTensor[],
): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}

/** Returns every BatchNorm of a model, through nested models. */
export function normsOf(model: tf.LayersModel): BatchNorm[] {
  return layersOf(model)
    .map(({layer}) => layer)
    .filter((layer) => layer instanceof BatchNorm);
}

/** Returns the values of all weights by name, in one record. */
export function allWeights(model: tf.LayersModel): Record<string, number[]> {
  return Object.fromEntries(
    model.weights.map((weight, i) => [
      `${i} ${weight.originalName}`,
      valuesOf(weight.read()),
    ]),
  );
}

/** Returns the same without moving statistics. */
export function learntWeights(model: tf.LayersModel): Record<string, number[]> {
  const entries = Object.entries(allWeights(model));
  return Object.fromEntries(
    entries.filter(([name]) => !name.includes('/moving_')),
  );
}
