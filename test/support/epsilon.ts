import * as tf from '@tensorflow/tfjs';

/** What Keras adds to the norms that its constraints divide by. */
const KERAS_EPSILON = 1e-7;

/**
 * How many float32 roundings further than Keras's tfjs's norm constraints may be
 * off. They add the backend's epsilon, and webgl's is 1e-4 where it renders to
 * float32, as it takes its precision for 16 bits. For norms of one or more.
 */
export function constraintRoundings(): number {
  return (tf.backend().epsilon() - KERAS_EPSILON) / 2 ** -24;
}
