import * as tf from '@tensorflow/tfjs';
import {
  convertModel,
  foldBatchNorm,
  fromKeras,
  toStock,
} from 'tfjs-normalization';
import {artifactsOf} from './memory_model.js';

/** Tools that rebuild a model, which must predict the same. */
export const REBUILDING: Record<
  string,
  (model: tf.LayersModel) => Promise<tf.LayersModel>
> = {
  'convertModel to ours': (model) => convertModel(model, {to: 'normalization'}),
  'convertModel to stock': (model) => convertModel(model, {to: 'stock'}),
  // Inside a promise, so that errors become rejections.
  foldBatchNorm: (model) =>
    Promise.resolve().then(() =>
      foldBatchNorm(model, {onReport: () => undefined}),
    ),
  fromKeras: async (model) =>
    tf.loadLayersModel(fromKeras(tf.io.fromMemory(await artifactsOf(model)))),
  toStock: async (model) => {
    let written: tf.io.ModelArtifacts = {};
    const save = tf.io.withSaveHandler((artifacts) => {
      written = artifacts;
      const info = {dateSaved: new Date(), modelTopologyType: 'JSON'} as const;
      return Promise.resolve({modelArtifactsInfo: info});
    });
    await model.save(toStock(save));
    return tf.loadLayersModel(tf.io.fromMemory(written));
  },
};
