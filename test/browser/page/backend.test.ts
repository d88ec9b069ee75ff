// Tests that the page uses the requested backend, not merely one that works.
import {getThreadsCount} from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs';
import {ops} from 'tfjs-normalization';
import {kernelsOf, randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

declare const BACKEND: string;
declare const THREADED: boolean;
declare function adapter(): string;

const wasmFiles = (): string[] =>
  performance
    .getEntriesByType('resource')
    .map(({name}) => name.split('/').pop() ?? '')
    .filter((name) => name.endsWith('.wasm'));

it(`computes on ${BACKEND}`, async () => {
  expect(tf.getBackend()).toBe(BACKEND);
  expect(await tf.add([1, 2], [3, 4]).array()).toEqual([4, 6]);
});

// The flags ask for software, so that every machine computes the same.
if (BACKEND !== 'wasm') {
  it('has the requested adapter', () => {
    expect(adapter()).toMatch(/SwiftShader/i);
  });
}

if (BACKEND === 'wasm') {
  it(`has loaded the ${THREADED ? 'threaded' : 'plain'} binary`, async () => {
    expect(crossOriginIsolated).toBe(THREADED);
    const flag = tf.env().getAsync('WASM_HAS_MULTITHREAD_SUPPORT');
    expect(await flag).toBe(THREADED);
    const binary = THREADED ? 'threaded-simd' : 'simd';
    expect(wasmFiles()).toEqual([`tfjs-backend-wasm-${binary}.wasm`]);
    if (THREADED) expect(getThreadsCount()).toBe(2);
  });

  it('normalizes in a single fused kernel', async () => {
    const x = randomTensor([64, 8], 1);
    const kernels = await kernelsOf(() => {
      ops.layerNorm(x);
    });
    expect(kernels).toContain('TfjsNormalization/Normalize');
    expect(kernels).not.toContain('Sum');
    expect(warnings()).toEqual([]);
  });
}
