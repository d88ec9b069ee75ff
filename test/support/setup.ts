import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import './each_test.js';
import './node_polyfill.js';

declare const BACKEND: string;
declare const NATIVE: boolean;

/** An optional peer, which TypeScript must not resolve. */
const TFJS_NODE = ['@tensorflow', 'tfjs-node'].join('/');

// Before the backend's kernels are made, at their first call.
process.env.TFJS_NORMALIZATION_NATIVE = NATIVE ? '1' : '0';

beforeAll(async () => {
  if (BACKEND === 'tensorflow') jest.requireActual(TFJS_NODE);
  if (!(await tf.setBackend(BACKEND))) {
    throw new Error(`the backend ${BACKEND} does not start`);
  }
});
