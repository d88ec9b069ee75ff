// Fused kernels: where they run, how they are switched off, and what happens where they
// cannot be made.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  ops,
  rmsNorm,
} from 'tfjs-normalization';
import {fusedFor} from '../../src/kernels/registry.js';
import {tensorflow as withoutTensorflow} from '../../src/kernels/backends/tensorflow/kernels.browser.js';
import {instantiate} from '../../src/kernels/simd/module.js';
import {wasmHeapOf} from '../../src/kernels/tfjs_private.js';
import {backend} from '../support/backend.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {kernelsOf, randomTensor, valuesOf} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';

afterEach(() => {
  tf.env().set('NORMALIZATION_FUSED', true);
});

describe('the flag NORMALIZATION_FUSED', () => {
  it('is true by default', () => {
    expect(tf.env().getBool('NORMALIZATION_FUSED')).toBe(true);
  });

  it('switches to core ops and back, at any time', async () => {
    const x = randomTensor([64, 16], 1);
    const step = (): tf.Tensor => tf.grad((a) => ops.batchNorm(a).y)(x, x);
    const fused = await kernelsOf(step);
    tf.env().set('NORMALIZATION_FUSED', false);
    const composed = await kernelsOf(step);
    expect(composed.length).toBeGreaterThan(fused.length + 20);
    tf.env().set('NORMALIZATION_FUSED', true);
    expect(await kernelsOf(step)).toEqual(fused);
  });

  it('changes only the last digits', () => {
    const x = randomTensor([32, 5, 6], 2, 3);
    const results = [true, false].map((on) => {
      tf.env().set('NORMALIZATION_FUSED', on);
      return [
        ops.batchNorm(x).y,
        ops.layerNorm(x),
        tf.grad((a) => ops.layerNorm(a))(x, x),
      ];
    });
    const [fused, composed] = results as [tf.Tensor[], tf.Tensor[]];
    fused.forEach((tensor, i) => {
      // Each within the two dozen roundings that the conformance tests allow, of about 3.
      expectCloseNow(tensor, composed[i] as tf.Tensor, {
        what: 'a result',
        roundings: 32,
        scale: 4,
      });
    });
  });
});

describe('a step of training', () => {
  const stepOf = (layer: tf.layers.Layer, shape: number[]) => {
    const x = randomTensor(shape, 1);
    layer.apply(x, {training: true});
    const weights = layer.trainableWeights.map((weight) => weight.read());
    const gradients = tf.grads(
      (input) => layer.apply(input, {training: true}) as tf.Tensor,
    );
    return () => gradients([x, ...weights], x);
  };

  it.each<[string, () => tf.layers.Layer, number[]]>([
    ['BatchNorm', () => batchNorm(), [128, 32]],
    ['BatchNorm of images', () => batchNorm(), [8, 14, 14, 6]],
    ['BatchNorm, channels first', () => batchNorm({axis: 1}), [8, 6, 14, 14]],
    ['LayerNorm', () => layerNorm(), [128, 32]],
    ['LayerNorm of sequences', () => layerNorm(), [4, 50, 32]],
    ['LayerNorm of images', () => layerNorm({axis: [1, 2, 3]}), [8, 7, 7, 6]],
    ['GroupNorm of images', () => groupNorm({groups: 2}), [8, 7, 7, 6]],
    [
      'GroupNorm, channels first',
      () => groupNorm({groups: 2, axis: 1}),
      [8, 6, 14, 14],
    ],
    ['InstanceNorm of images', () => instanceNorm(), [8, 7, 7, 6]],
    [
      'InstanceNorm, channels first',
      () => instanceNorm({axis: 1}),
      [8, 6, 14, 14],
    ],
    ['RMSNorm', () => rmsNorm(), [128, 32]],
    ['RMSNorm of sequences', () => rmsNorm(), [4, 50, 32]],
  ])('takes at most 16 kernels: %s', async (_, make, shape) => {
    const kernels = await kernelsOf(stepOf(make(), shape));
    expect(kernels).toContain('TfjsNormalization/NormalizeGrad');
    expect(kernels.length).toBeLessThanOrEqual(16);
  });

  it('saves x for the gradient without copying it', async () => {
    const x = randomTensor([1000, 16], 1);
    const profile = await tf.profile(() =>
      tf.grad((a) => ops.layerNorm(a))(x, x),
    );
    const names = profile.kernels.map(({name}) => name);
    expect(names).toContain('TfjsNormalization/Hold');
    const clones = profile.kernels.filter(({name}) => name === 'Identity');
    const sizes = clones.flatMap(({outputShapes}) =>
      outputShapes.map((shape) => shape.reduce((a, b) => a * b, 1)),
    );
    // Mean and variance.
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
  });

  it('saves x in tfjs’s own way if the tape is not as expected', () => {
    const engine = tf.engine();
    const x = randomTensor([6, 4], 1);
    const expected = tf.grad((a) => ops.layerNorm(a))(x, x);
    const {state} = engine;
    const tape = state.activeTape;
    let reads = 0;
    Object.defineProperty(state, 'activeTape', {
      configurable: true,
      get: () => {
        reads += 1;
        // The package looks through `.at`, tfjs pushes and filters.
        return hidden;
      },
      set: (value: unknown[] | null) => {
        hidden = value && Object.assign([...value], {at: () => undefined});
      },
    });
    let hidden: unknown = tape;
    try {
      const actual = tf.grad((a) => ops.layerNorm(a))(x, x);
      expect(reads).toBeGreaterThan(0);
      // The gradient that tensorflow then recomputes is rounded differently.
      const roundings = tf.getBackend() === 'tensorflow' ? 8 : 0;
      expectCloseNow(actual, expected, {what: 'dx', roundings, scale: 1});
    } finally {
      Object.defineProperty(state, 'activeTape', {
        configurable: true,
        writable: true,
        value: tape,
      });
    }
  });
});

describe('where fused kernels cannot be made', () => {
  it('one warning gives the reason, and none are used', () => {
    const strange = {};
    expect(fusedFor('wasm', strange)).toEqual({});
    expect(fusedFor('wasm', strange)).toEqual({});
    expect(warnings()).toEqual([
      expect.stringMatching(
        /the backend wasm computes with tfjs's own operations.*no makeOutput/,
      ),
    ]);
    expect(fusedFor('tensorflow', {})).toEqual({});
    expect(fusedFor('cpu', {})).toEqual({});
    expect(warnings()).toHaveLength(3);
  });

  it('names the missing parts of tfjs’s internals', () => {
    const nothing = (): void => undefined;
    const heap = {_malloc: nothing, _free: nothing};
    const dataIdMap = {get: nothing};
    fusedFor('wasm', {makeOutput: nothing, dataIdMap, wasm: heap});
    fusedFor('tensorflow', {executeMultipleOutputs: nothing, binding: {}});
    expect(warnings()).toEqual([
      expect.stringContaining('the wasm heap is out of reach'),
      expect.stringContaining("the backend's binding has no TF_ATTR_TYPE"),
    ]);
  });

  it('a full heap throws, and is not written to', () => {
    const nothing = (): void => undefined;
    const memory = new WebAssembly.Memory({initial: 1});
    const wasm = {_malloc: () => 0, _free: nothing, asm: {memory}};
    const {allocate} = wasmHeapOf({
      makeOutput: nothing,
      dataIdMap: {get: nothing},
      wasm,
    });
    expect(() => allocate(64)).toThrow('the wasm heap has no 64 bytes left');
  });

  it('TensorFlow on a GPU has none, since a GPU keeps other statistics', () => {
    const gpu = {executeMultipleOutputs: () => [], isUsingGpuDevice: true};
    expect(fusedFor('tensorflow', gpu)).toEqual({});
    expect(warnings()).toEqual([expect.stringContaining('on a GPU')]);
  });

  it('a bundle for browsers says that it is without those of tfjs-node', () => {
    expect(() => withoutTensorflow.make?.({})).toThrow(
      'a bundle for browsers is without them',
    );
  });

  it('an unknown backend has none, without a warning', () => {
    expect(fusedFor('unknown', {})).toEqual({});
    expect(fusedFor('constructor', {})).toEqual({});
    expect(warnings()).toEqual([]);
  });

  it('a content security policy forbids compilation', () => {
    jest.isolateModules(() => {
      jest.spyOn(WebAssembly, 'Module').mockImplementation(() => {
        throw new WebAssembly.CompileError('blocked by CSP');
      });
      const isolated = jest.requireActual<{instantiate: typeof instantiate}>(
        '../../src/kernels/simd/module.js',
      );
      const memory = new WebAssembly.Memory({initial: 1});
      expect(() => isolated.instantiate(memory, false)).toThrow('CSP');
    });
  });
});

describe('a backend that is removed and made again', () => {
  it('computes as before', async () => {
    const x = [
      [1, 2],
      [3, 8],
    ];
    const compute = (): number[] => valuesOf(ops.batchNorm(tf.tensor2d(x)).y);
    const before = compute();
    const factory = tf.findBackendFactory(backend);
    const {priority} = tf.engine().registryFactory[backend] as {
      priority: number;
    };
    tf.removeBackend(backend);
    tf.registerBackend(backend, factory, priority);
    expect(await tf.setBackend(backend)).toBe(true);
    expect(compute()).toEqual(before);
    expect(warnings()).toEqual([]);
  });
});

describe('a kernel that a program runs by itself', () => {
  it('has the gradient of the function, whatever ran before', async () => {
    const view = {batch: 1, outer: 6, group: 4, channel: 1, inner: 1};
    const attributes = {view, epsilon: 1e-3, centered: true};
    const x = randomTensor([6, 4], 1);
    const dy = randomTensor([6, 4], 2);
    const expected = tf.grad((a) => ops.batchNorm(a).y)(x, dy);
    const direct = tf.grad((a) => {
      const outputs = tf
        .engine()
        .runKernel('TfjsNormalization/Normalize', [a] as never, attributes);
      return (outputs as tf.Tensor[])[0] as tf.Tensor;
    })(x, dy);
    await expectClose(direct, valuesOf(expected), {
      what: 'dx',
      // What a backend keeps of the forward pass is computed anew.
      roundings: 16,
    });
  });
});
