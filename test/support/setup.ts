import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import './each_test.js';
import './node_polyfill.js';

declare const BACKEND: string;

/** An optional peer, which TypeScript must not resolve. */
const TFJS_NODE = ['@tensorflow', 'tfjs-node'].join('/');

beforeAll(async () => {
  if (BACKEND === 'tensorflow') jest.requireActual(TFJS_NODE);
  if (!(await tf.setBackend(BACKEND))) {
    throw new Error(`the backend ${BACKEND} does not start`);
  }
});
