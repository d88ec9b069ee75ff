import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

const target = {save: 'indexeddb://model'};
postMessage({
  ...(await exercise(tf, normalization, target)),
  hasPage: 'document' in globalThis,
});
