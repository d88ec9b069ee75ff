import * as tf from '@tensorflow/tfjs';

/** The values of a tensor or weight, read at once. */
export function valuesOf(tensor: tf.Tensor): number[] {
  return Array.from(tensor.dataSync());
}

/** The largest difference of two tensors; NaN if they differ in where NaN is. */
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

/** The largest absolute value. */
export function magnitude(values: tf.Tensor | readonly number[]): number {
  const list = values instanceof tf.Tensor ? valuesOf(values) : values;
  return list.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

/** A tensor of normally distributed values, the same in every run. */
export function randomTensor(
  shape: number[],
  seed: number,
  mean = 0,
  deviation = 1,
): tf.Tensor {
  // tfjs gives the same values for one seed only if it is not 0.
  return tf.randomNormal(shape, mean, deviation, 'float32', seed + 1);
}

/** The names of all kernels that ran, in order. */
export async function kernelsOf(step: () => void): Promise<string[]> {
  const profile = await tf.profile(() => {
    tf.tidy(step);
    return tf.scalar(0);
  });
  return profile.kernels.map(({name}) => name);
}

/** The values of a layer's weights by the last part of their name. */
export function weightsOf(layer: tf.layers.Layer): Record<string, number[]> {
  return Object.fromEntries(
    layer.weights.map((weight) => [
      weight.originalName.split('/').pop() ?? '',
      valuesOf(weight.read()),
    ]),
  );
}
