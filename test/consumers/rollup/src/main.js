import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

globalThis.outcome = await exercise(tf, normalization, {
  save: 'indexeddb://model',
});
