import type {Tensor, Variable} from '@tensorflow/tfjs-core';
import type {layers, LayerVariable} from '@tensorflow/tfjs-layers';
import {NormLayer} from '../../layers/norm_layer.js';

/** Gives a layer the weights of another of its kind, bit for bit. */
export function copyWeights(from: layers.Layer, to: layers.Layer): void {
  giveWeights(
    to,
    from.weights.map((weight) => weight.read()),
  );
}

/**
 * Gives a layer weights bit for bit. tf.js's own layers would project them by their
 * constraints, which training never did.
 */
export function giveWeights(
  layer: layers.Layer,
  values: readonly Tensor[],
): void {
  if (layer instanceof NormLayer) layer.setWeights([...values]);
  else writeWeights(layer, values);
}

/** Gives a layer weights as they are, whatever its constraints say. */
export function writeWeights(
  layer: layers.Layer,
  values: readonly Tensor[],
): void {
  layer.weights.forEach((weight, i) => {
    const value = values[i];
    if (value !== undefined) variableOf(weight).assign(value);
  });
}

function variableOf(weight: LayerVariable): Variable {
  const read = weight.read.bind(weight) as () => Variable;
  return read();
}
