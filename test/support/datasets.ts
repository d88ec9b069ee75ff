import * as tf from '@tensorflow/tfjs';

/** Cuts data into batches of these sizes, as a dataset. */
export function cutInto(
  x: tf.Tensor,
  sizes: readonly number[],
  element: (batch: tf.Tensor) => tf.TensorContainer = (batch) => batch,
): tf.data.Dataset<tf.TensorContainer> {
  return tf.data.generator(function* () {
    let start = 0;
    for (const size of sizes) {
      yield element(tf.slice(x, start, size));
      start += size;
    }
  });
}
