/**
 * Runs in a fresh process: loads models that another process has trained and
 * saved, and predicts with them.
 */
import * as tf from '@tensorflow/tfjs';
// Registers the layers, which tf.js does not know otherwise.
import 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {startBackend} from '../../tools/backend.js';
import {reasonOf} from '../../tools/errors.js';
import type {ReloadAnswer, ReloadRequest} from './reload_check.js';
import {predictAll} from './train.js';

// The parent handles Ctrl-C, and ends this process by exiting.
process.on('SIGINT', () => undefined);
process.on('message', (request: ReloadRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});

async function answer(request: ReloadRequest): Promise<ReloadAnswer> {
  try {
    return {predictions: await predict(request)};
  } catch (error) {
    return {error: reasonOf(error)};
  }
}

async function predict(request: ReloadRequest): Promise<Float32Array[]> {
  const {backend, folders, pixels, size} = request;
  await startBackend(backend);
  const xs = tf.tensor2d(pixels, [pixels.length / size, size]);
  const predictions: Float32Array[] = [];
  for (const folder of folders) {
    const model = await tf.loadLayersModel(fileSystem(folder));
    predictions.push(predictAll(model, xs));
    model.dispose();
  }
  xs.dispose();
  return predictions;
}
