import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {exercise} from './shared/exercise.mjs';

const outcome = await exercise(tf, normalization, {
  save: fileSystem('model'),
});
console.log(JSON.stringify(outcome));
