import * as tf from '@tensorflow/tfjs';
import {convertModel, toStock} from 'tfjs-normalization';

/** Every way to stock tf.js refuses a model with these words, the lossy ones too. */
export async function expectNoStock(
  model: tf.LayersModel,
  words: string,
): Promise<void> {
  const nowhere = tf.io.withSaveHandler(() =>
    Promise.reject(new Error('not to be saved')),
  );
  for (const lossy of [false, true]) {
    const saving = model.save(toStock(nowhere, {lossy}));
    await expect(saving).rejects.toThrow(words);
    const converting = convertModel(model, {to: 'stock', lossy});
    await expect(converting).rejects.toThrow(words);
  }
}
