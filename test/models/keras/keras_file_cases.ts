import {readFileSync} from 'node:fs';
import {inflateSync} from 'node:zlib';
import * as tf from '@tensorflow/tfjs';
import type {KerasCase} from './keras_models.js';

/* Files that Keras saved, with test/fixtures/keras_files.py. */

/** A file, inputs, and Keras's outputs for them. */
export interface FileCase extends Pick<
  KerasCase,
  'name' | 'inputs' | 'outputs'
> {
  /** The file, compressed, in base 64. */
  readonly file: string;
  /** Outputs of a call in training, and then in prediction. */
  readonly trained?: KerasCase['outputs'];
}

export function readFileCases(file: string): FileCase[] {
  return JSON.parse(readFileSync(file, 'utf8')) as FileCase[];
}

/** If true, layers of the model are shared between models, which tf.js cannot read. */
export function isBetweenModels({name}: FileCase): boolean {
  return name.startsWith('between models');
}

export function bytesOf({file}: FileCase): Uint8Array {
  return Uint8Array.from(inflateSync(Buffer.from(file, 'base64')));
}

/** Returns the inputs of a case as tensors. */
export function inputsIn({inputs}: FileCase): tf.Tensor[] {
  return inputs.map(({values, shape}) => tf.tensor(values, shape));
}

export function predict(given: FileCase, model: tf.LayersModel): tf.Tensor[] {
  return [model.predict(inputsIn(given))].flat();
}
