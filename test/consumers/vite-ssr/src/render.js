import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

export async function render() {
  let saved;
  const save = tf.io.withSaveHandler(async (artifacts) => {
    saved = artifacts;
    return {modelArtifactsInfo: {dateSaved: new Date()}};
  });
  const load = {load: async () => saved};
  return exercise(tf, normalization, {save, load});
}
