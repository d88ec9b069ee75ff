import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import './node_polyfill.js';

declare const BACKEND: string;

beforeAll(async () => {
  // tfjs then checks after every kernel that it left no memory behind.
  tf.env().set('IS_TEST', true);
  if (BACKEND === 'tensorflow') await import('@tensorflow/tfjs-node');
  if (!(await tf.setBackend(BACKEND))) {
    throw new Error(`the backend ${BACKEND} does not start`);
  }
});
