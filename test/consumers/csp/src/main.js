import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

const refused = new Set();
document.addEventListener('securitypolicyviolation', ({blockedURI}) => {
  refused.add(blockedURI);
});

// Where WebAssembly is forbidden, the layers compute in loops on cpu.
await tf.setBackend('cpu');
const outcome = await exercise(tf, normalization, {
  save: 'indexeddb://model',
});
globalThis.outcome = {...outcome, refused: [...refused].join()};
