import * as tf from '@tensorflow/tfjs';

/** The term that Keras adds to the norms its constraints divide by. */
const KERAS_EPSILON = 1e-7;

/**
 * Returns the additional error of tfjs's norm constraints over Keras's, in
 * float32 roundings, for norms of one or more. They add the backend's epsilon,
 * and webgl's is 1e-4 where it renders to float32, since it assumes a precision
 * of 16 bits.
 */
export function constraintRoundings(): number {
  return (tf.backend().epsilon() - KERAS_EPSILON) / 2 ** -24;
}
