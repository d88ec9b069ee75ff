import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {warnings} from '../../support/warnings.js';
import {handlerOf} from './keras_models.js';

/*
 * Models in Keras 3's JSON, written by hand, and a check that they are refused.
 */

export type Json = Record<string, unknown>;

/** A tensor as Keras 3 writes a layer's output. */
export const T = (layer: string, call = 0, output = 0): Json => ({
  class_name: '__keras_tensor__',
  config: {shape: [null, 4], keras_history: [layer, call, output]},
});

export const input = (name = 'in', shape: unknown = [null, 4]): Json => ({
  class_name: 'InputLayer',
  name,
  config: {batch_shape: shape, dtype: 'float32', name},
  inbound_nodes: [],
});

/** A layer named `x`, unless its config names it, and its inputs. */
export const layer = (
  className: string,
  config: Json = {},
  from: Json | Json[] = T('in'),
  kwargs: Json = {},
): Json => {
  const name = (config.name as string | undefined) ?? 'x';
  const inbound = [{args: [from], kwargs}];
  return {
    class_name: className,
    name,
    config: {name, ...config},
    inbound_nodes: inbound,
  };
};

/** A model of the input `in` and these layers. */
export const model = (layers: Json[], output = 'x', more: Json = {}): Json => ({
  class_name: 'Functional',
  config: {
    name: 'm',
    layers: [input(), ...layers],
    input_layers: ['in', 0, 0],
    output_layers: [output, 0, 0],
    ...more,
  },
});

export async function load(
  modelTopology: unknown,
  more: tf.io.ModelArtifacts = {},
): Promise<tf.LayersModel> {
  const artifacts = {modelTopology: modelTopology as object, ...more};
  return tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
}

/**
 * Fails unless loading fails with this message, without a leak or a warning.
 */
export async function expectRefused(
  topology: unknown,
  message: string,
  more: tf.io.ModelArtifacts = {},
): Promise<void> {
  const before = tf.memory().numTensors;
  await expect(load(topology, more)).rejects.toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
  expect(warnings()).toEqual([]);
}
