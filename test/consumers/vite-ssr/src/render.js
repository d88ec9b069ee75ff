import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {exercise} from '../shared/exercise.mjs';

export async function render(name) {
  return exercise(tf, normalization, {save: fileSystem(name)});
}
