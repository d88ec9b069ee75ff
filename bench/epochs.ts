import type * as tf from '@tensorflow/tfjs';
import {
  createRandom,
  deriveSeed,
  permutation,
} from '../examples/digits/random.js';
import {type Examples, trainEpoch} from '../examples/digits/train.js';

/** The model, and what it is trained with. */
export interface Training {
  readonly model: tf.LayersModel;
  readonly training: Examples;
  readonly seed: number;
  readonly batchSize: number;
}

/**
 * Returns a function that trains the digits network for an epoch, and returns the
 * milliseconds that it took. One seed gives the same order of images to every model.
 */
export function epochOf({
  model,
  training,
  seed,
  batchSize,
}: Training): () => Promise<number> {
  const random = createRandom(deriveSeed(seed, 'order of images'));
  return async () => {
    const order = permutation(training.xs.shape[0], random);
    const epoch = await trainEpoch(
      model,
      training,
      order,
      batchSize,
      () => false,
    );
    return 1000 * (epoch?.seconds ?? NaN);
  };
}
