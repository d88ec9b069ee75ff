import * as tf from '@tensorflow/tfjs';

/** Reads the values of a tensor or weight synchronously. */
export function valuesOf(tensor: tf.Tensor): number[] {
  return Array.from(tensor.dataSync());
}

/**
 * Returns the largest difference of two tensors; NaN if only one of two values
 * is NaN.
 */
export function difference(
  a: tf.Tensor | readonly number[],
  b: tf.Tensor | readonly number[],
): number {
  const left = a instanceof tf.Tensor ? valuesOf(a) : a;
  const right = b instanceof tf.Tensor ? valuesOf(b) : b;
  if (left.length !== right.length) {
    throw new Error(`${left.length} values against ${right.length}`);
  }
  let largest = 0;
  left.forEach((value, i) => {
    const other = right[i] ?? NaN;
    if (Number.isNaN(value) && Number.isNaN(other)) return;
    const gap = value === other ? 0 : Math.abs(value - other);
    if (!(gap <= largest)) largest = gap;
  });
  return largest;
}

/** Returns the largest absolute value. */
export function magnitude(values: tf.Tensor | readonly number[]): number {
  const list = values instanceof tf.Tensor ? valuesOf(values) : values;
  return list.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/** Returns a tensor of normally distributed values, the same in every run. */
export function randomTensor(
  shape: number[],
  seed: number,
  mean = 0,
  deviation = 1,
): tf.Tensor {
  // tfjs repeats its random values only for a seed other than 0.
  return tf.randomNormal(shape, mean, deviation, 'float32', seed + 1);
}

/** Returns the names of all kernels that ran, in order. */
export async function kernelsOf(step: () => void): Promise<string[]> {
  const profile = await tf.profile(() => {
    tf.tidy(step);
    return tf.scalar(0);
  });
  return profile.kernels.map(({name}) => name);
}

/** Returns the values of a layer's weights by the last part of their name. */
export function weightsOf(layer: tf.layers.Layer): Record<string, number[]> {
  return Object.fromEntries(
    layer.weights.map((weight) => [
      weight.originalName.split('/').pop() ?? '',
      valuesOf(weight.read()),
    ]),
  );
}
