import {setThreadsCount, setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs';
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

/** Information that a GPU backend gives about itself. */
interface GpuBackend {
  readonly gpgpu: {readonly gl: WebGLRenderingContext};
  readonly adapterInfo: {
    readonly vendor: string;
    readonly architecture: string;
  };
}

/** Describes the device in one line. */
function adapter(): string {
  const backend = tf.backend() as unknown as GpuBackend;
  switch (tf.getBackend()) {
    case 'webgl':
      return renderer(backend.gpgpu.gl);
    case 'webgpu':
      return `${backend.adapterInfo.vendor} ${backend.adapterInfo.architecture}`;
    default:
      return `WebAssembly with SIMD${THREADED ? ' and two threads' : ''}`;
  }
}

function renderer(gl: WebGLRenderingContext): string {
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  const name = info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER;
  return String(gl.getParameter(name));
}

Object.assign(globalThis, {adapter});
