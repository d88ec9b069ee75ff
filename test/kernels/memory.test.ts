// Tests the memory of the wasm heap, of tf.memory and of the process: kept
// between steps, and used by a step beside its outputs.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, ops} from 'tfjs-normalization';
import {backend} from '../support/backend.js';
import {difference, randomTensor} from '../support/tensors.js';
import {expectApplied, expectGradients, expectNormalized} from './agreement.js';
import {guard, GUARD, isBroken} from './guards.js';
import {checkCases} from './views.js';

interface Wasm {
  /** Present if threads share it. */
  wasmMemory?: WebAssembly.Memory;
  asm: {memory: WebAssembly.Memory};
  _malloc: (bytes: number) => number;
  _free: (address: number) => void;
}

const wasm = (): Wasm => (tf.backend() as unknown as {wasm: Wasm}).wasm;

const heap = (): WebAssembly.Memory => wasm().wasmMemory ?? wasm().asm.memory;

const onWasm = backend === 'wasm';

/** Returns the bytes of the heap, or of the process if there is none. */
const memoryNow = (): number =>
  onWasm ? heap().buffer.byteLength : process.memoryUsage().rss;

describe('10,000 steps', () => {
  it('leave memory unchanged', () => {
    const batch = batchNorm();
    const layer = layerNorm();
    const x = randomTensor([64, 64], 1);
    const step = (): void => {
      for (const norm of [batch, layer]) {
        const f = (a: tf.Tensor): tf.Tensor =>
          norm.apply(a, {training: true}) as tf.Tensor;
        tf.dispose(tf.grad(f)(x, x));
      }
    };
    // Until compilers and allocators have settled.
    for (let i = 0; i < 1000; i++) step();
    const {numTensors, numBytes, numDataBuffers} = tf.memory();
    const before = memoryNow();
    for (let i = 0; i < 9000; i++) step();
    const after = tf.memory();
    expect([after.numTensors, after.numBytes, after.numDataBuffers]).toEqual([
      numTensors,
      numBytes,
      numDataBuffers,
    ]);
    // A leak of one x per step and layer would be 295 MB. A heap does not
    // change at all, but a process's garbage collector causes changes of tens
    // of megabytes.
    const most = onWasm ? 0 : 147 * 10 ** 6;
    expect(memoryNow() - before).toBeLessThanOrEqual(most);
  }, 180_000);
});

// tf.memory sees no scratch inside a kernel; the allocator of the wasm heap does.
if (onWasm) describe('the heap of the wasm backend', heapTests);

function heapTests(): void {
  it('has every buffer between guards that no kernel reads or writes', async () => {
    const guards = guardHeap();
    try {
      await checkCases(async (options) => {
        await expectNormalized(options);
        await expectApplied(options);
        await expectGradients(options, {given: false, recorded: false});
        await expectGradients(options, {given: true, recorded: false});
        expect(guards.broken()).toBe(0);
      }, 60);
      // Guards exist only if there is something to guard: tensors and the
      // scratch of kernels.
      expect(guards.count()).toBeGreaterThan(0);
    } finally {
      guards.remove();
    }
  });

  it.each<[string, number[], () => tf.layers.Layer]>([
    ['batch norm', [4096, 64], () => batchNorm({statistics: 'batch'})],
    ['batch norm, channels first', [64, 16, 256], () => batchNorm({axis: 1})],
    ['batch norm, few rows', [8, 40_000], () => batchNorm()],
    ['layer norm', [4096, 64], () => layerNorm()],
    ['layer norm, long rows', [2, 200_000], () => layerNorm()],
  ])('a step allocates y and dx, and little else: %s', (_, shape, make) => {
    const layer = make();
    const x = randomTensor(shape, 1);
    const dy = randomTensor(shape, 2);
    layer.apply(x);
    const weights = layer.weights.reduce(
      (bytes, weight) => bytes + 4 * weight.read().size,
      0,
    );
    const f = (a: tf.Tensor): tf.Tensor =>
      layer.apply(a, {training: true}) as tf.Tensor;
    tf.dispose(tf.grad(f)(x, dy));
    const peak = peakOfHeap(() => tf.dispose(tf.grad(f)(x, dy)));
    const own = 4 * x.size;
    // Means and variances (a row of LayerNorm has its own), gradients of the parameters,
    // moving statistics; and a hundred bytes for each column of a strip.
    const rows = 4 * 4 * 4096;
    const strip = 100 * Math.min(weights / 8, 4096);
    expect(peak).toBeGreaterThan(2 * own);
    expect(peak).toBeLessThan(2 * own + 2 * weights + rows + strip);
  });

  it('may grow in the middle of a step', () => {
    const small = randomTensor([40, 8], 1);
    const step = (x: tf.Tensor): tf.Tensor =>
      tf.grad((a) => ops.batchNorm(a).y)(x, x);
    const expected = step(small);
    const memory = heap();
    const before = memory.buffer.byteLength;
    const held: tf.Tensor[] = [];
    const block = Math.ceil(before / 4 / 3);
    while (memory.buffer.byteLength === before) {
      held.push(step(tf.ones([block, 1])));
    }
    expect(difference(step(small), expected)).toBe(0);
    tf.dispose(held);
  });

  it('returns addresses aligned to only 8 bytes', () => {
    const {dataIdMap} = tf.backend() as unknown as {
      dataIdMap: {get(id: object): {memoryOffset: number}};
    };
    const expected = ops.layerNorm(randomTensor([5, 7], 3));
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      tf.ones([1 + (i % 5)]);
      const x = randomTensor([5, 7], 3);
      seen.add(dataIdMap.get(x.dataId).memoryOffset % 16);
      expect(difference(ops.layerNorm(x), expected)).toBe(0);
    }
    expect(seen).toEqual(new Set([0, 8]));
  });
}

/** The peak of allocated bytes, beyond those allocated before. */
function peakOfHeap(step: () => void): number {
  const module = wasm();
  // Emscripten puts the functions themselves in the module at their first call.
  module._free(module._malloc(8));
  const {_malloc: malloc, _free: free} = module;
  const sizes = new Map<number, number>();
  let now = 0;
  let peak = 0;
  module._malloc = (bytes) => {
    const address = malloc(bytes);
    sizes.set(address, bytes);
    now += bytes;
    peak = Math.max(peak, now);
    return address;
  };
  module._free = (address) => {
    now -= sizes.get(address) ?? 0;
    sizes.delete(address);
    free(address);
  };
  try {
    step();
  } finally {
    module._malloc = malloc;
    module._free = free;
  }
  return peak;
}

/** Puts guards around what is allocated on the heap from now on. */
function guardHeap(): {
  count: () => number;
  broken: () => number;
  remove: () => void;
} {
  const module = wasm();
  // Emscripten puts the functions themselves in the module at their first call.
  module._free(module._malloc(8));
  const {_malloc: malloc, _free: free} = module;
  const sizes = new Map<number, number>();
  let made = 0;
  const zones = (address: number): number[] => [
    address - GUARD,
    address + (sizes.get(address) ?? 0),
  ];
  module._malloc = (bytes) => {
    // Guards of whole words: kernels read and write nothing smaller.
    const size = Math.ceil(bytes / 8) * 8;
    const address = (malloc.call(module, size + 2 * GUARD) >>> 0) + GUARD;
    sizes.set(address, size);
    made += 1;
    for (const zone of zones(address)) guard(heap(), zone, GUARD);
    return address;
  };
  module._free = (address) => {
    const begin = sizes.has(address) ? address - GUARD : address;
    sizes.delete(address);
    free.call(module, begin);
  };
  return {
    count: () => made,
    broken: () =>
      [...sizes.keys()]
        .flatMap(zones)
        .filter((zone) => isBroken(heap(), zone, GUARD)).length,
    remove: () => {
      // Buffers that remain are freed by the guarded heap's rule.
      const guarded = module._free;
      module._malloc = malloc;
      module._free = (address) => {
        if (sizes.has(address)) guarded(address);
        else free.call(module, address);
      };
    },
  };
}
