import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  spectralNorm,
  type SpectralNormArgs,
  unitNorm,
} from 'tfjs-normalization';
import {layersOf} from '../../src/models/graph/live_model.js';
import {valuesOf} from './tensors.js';

/** Returns a layer's output for a symbolic input. */
export function through(
  layer: tf.layers.Layer,
  input: tf.SymbolicTensor | tf.SymbolicTensor[],
): tf.SymbolicTensor {
  return layer.apply(input) as tf.SymbolicTensor;
}

/** Returns a model of three inputs with a BatchNorm between a SpectralNorm and a UnitNorm. */
export function mixedModel(
  args: Partial<SpectralNormArgs> = {},
): tf.Sequential {
  return tf.sequential({
    layers: [
      spectralNorm({
        name: 'spectral',
        layer: tf.layers.dense({units: 4}),
        inputShape: [3],
        ...args,
      }),
      batchNorm({name: 'norm'}),
      unitNorm({name: 'unit'}),
      tf.layers.dense({name: 'head', units: 1}),
    ],
  });
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
