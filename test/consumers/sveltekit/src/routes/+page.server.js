import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {exercise} from '../../shared/exercise.mjs';

export const prerender = true;

// On the server, once, when the page is built.
export async function load() {
  const {unmoved, isBatchNorm, sameWeights, gap} = await exercise(
    tf,
    normalization,
    {save: fileSystem('model')},
  );
  return {
    rendered: unmoved === 0 && isBatchNorm && sameWeights && gap === 0,
  };
}
