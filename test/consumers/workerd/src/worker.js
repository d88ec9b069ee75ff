/* global Response */
import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import {exercise} from '../shared/exercise.mjs';

export default {
  async fetch() {
    normalization.patchStockLayers();
    await tf.setBackend('cpu');
    let saved;
    const save = tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return {modelArtifactsInfo: {dateSaved: new Date()}};
    });
    const load = {load: async () => saved};
    return Response.json(await exercise(tf, normalization, {save, load}));
  },
};
