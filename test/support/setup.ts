import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import './node_polyfill.js';

declare const BACKEND: string;

/** An optional peer: TypeScript must not look for it. */
const TFJS_NODE = ['@tensorflow', 'tfjs-node'].join('/');

beforeAll(async () => {
  if (BACKEND === 'tensorflow') jest.requireActual(TFJS_NODE);
  if (!(await tf.setBackend(BACKEND))) {
    throw new Error(`the backend ${BACKEND} does not start`);
  }
});

// Warnings are part of what is tested, and would drown the rest of the output.
beforeEach(() => {
  // tfjs then checks after every kernel that it left no memory behind.
  tf.env().set('IS_TEST', true);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  jest.restoreAllMocks();
});
