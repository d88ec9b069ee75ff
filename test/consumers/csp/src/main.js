import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

// Where WebAssembly is forbidden, the layers fall back to loops on cpu.
await tf.setBackend('cpu');
globalThis.outcome = await exercise(tf, normalization, {
  save: 'indexeddb://model',
});
