import {setThreadsCount, setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs';
import {adapterOf} from '../../../bench/page/adapter.js';
import '../../support/each_test.js';
import actual from './actual.cjs';

declare const BACKEND: string;
declare const THREADED: boolean;

beforeAll(async () => {
  setWasmPaths('/wasm/');
  if (THREADED) useTwoThreads();
  // Otherwise tfjs would compute small tensors on the CPU, which is tested
  // elsewhere.
  tf.env().set('WEBGL_CPU_FORWARD', false);
  tf.env().set('WEBGPU_CPU_FORWARD', false);
  if (!(await tf.setBackend(BACKEND))) {
    throw new Error(`the backend ${BACKEND} does not start`);
  }
});

/** By default, tfjs uses at most half of the processors. */
function useTwoThreads(): void {
  Object.defineProperty(navigator, 'hardwareConcurrency', {value: 4});
  setThreadsCount(2);
}

jest.requireActual = (name: string): never => {
  const load = actual[name];
  if (load !== undefined) return load() as never;
  throw new Error(`jest.requireActual: not in the page. Received: ${name}`);
};

/** Describes the device in one line. */
function adapter(): string {
  return (
    adapterOf(tf.getBackend()) ??
    `WebAssembly with SIMD${THREADED ? ' and two threads' : ''}`
  );
}

Object.assign(globalThis, {adapter});
