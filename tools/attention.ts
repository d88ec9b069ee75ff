import * as tf from '@tensorflow/tfjs';

/**
 * Self-attention, which tf.js has no layer for: `softmax(q kᵀ / √width) v` of
 * queries, keys and values concatenated along the last axis.
 */
export class Attention extends tf.layers.Layer {
  static className = 'Attention';

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x] = [inputs].flat() as [tf.Tensor];
      const [q, k, v] = tf.split(x, 3, -1) as [tf.Tensor, tf.Tensor, tf.Tensor];
      const width = q.shape[q.rank - 1] ?? NaN;
      const scores = tf.matMul(q, k, false, true);
      return tf.matMul(tf.softmax(tf.div(scores, Math.sqrt(width))), v);
    });
  }

  override computeOutputShape(shape: tf.Shape): tf.Shape {
    return [...shape.slice(0, -1), (shape[shape.length - 1] ?? NaN) / 3];
  }
}
tf.serialization.registerClass(Attention);
