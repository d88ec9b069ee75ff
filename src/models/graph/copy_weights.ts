import type {Tensor, Variable} from '@tensorflow/tfjs-core';
import type {layers, LayersModel, LayerVariable} from '@tensorflow/tfjs-layers';
import {received} from '../../util/received.js';
import {NormLayer} from '../../layer_support/norm_layer.js';

/**
 * Copies one layer's weights to another of its kind, bit for bit.
 *
 * @param who The first words of an error message.
 * @throws Error if the numbers of weights differ.
 */
export function copyWeights(
  from: layers.Layer,
  to: layers.Layer,
  who: string,
): void {
  if (from.weights.length !== to.weights.length) {
    throw new Error(
      `${who}: a ${from.getClassName()} that is made from the layer's config has ` +
        `${to.weights.length} weights instead of ${from.weights.length}. ` +
        received('weights', from.weights.length),
    );
  }
  giveWeights(
    to,
    from.weights.map((weight) => weight.read()),
  );
}

/**
 * Gives a layer weights bit for bit. tf.js's own setWeights would apply
 * constraints, which its training never does.
 */
export function giveWeights(
  layer: layers.Layer,
  values: readonly Tensor[],
): void {
  if (layer instanceof NormLayer) layer.setWeights([...values]);
  else writeWeights(layer, values);
}

/** Gives a layer weights as they are, ignoring constraints. */
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

/** Copies a model's user-defined metadata to another model. */
export function copyMetadata(from: LayersModel, to: LayersModel): void {
  const metadata = from.getUserDefinedMetadata() as object | undefined;
  if (metadata !== undefined) to.setUserDefinedMetadata(metadata);
}
