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
import {backend, isNative} from '../support/backend.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {
  difference,
  kernelsOf,
  randomTensor,
  valuesOf,
} from '../support/tensors.js';
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

  const onTensorflow = backend === 'tensorflow';
  const keepsDeviation = onTensorflow && !isNative;
  const NORMALIZE = 'TfjsNormalization/Normalize';
  const MOVING = 'TfjsNormalization/MovingStatistics';
  const GRADIENT = 'TfjsNormalization/NormalizeGrad';

  // tensorflow's kernels are made of ops, which are no kernels but make tensors.
  if (!onTensorflow) {
    it.each<[string, () => tf.layers.Layer, string[], number]>([
      // y, 2 statistics, 5 tensors for the gradient, and 3 of its own. The average takes a
      // rate and gives 2 new values.
      ['BatchNorm', () => batchNorm(), [NORMALIZE, MOVING, GRADIENT], 14],
      ['LayerNorm', () => layerNorm(), [NORMALIZE, GRADIENT], 11],
      ['GroupNorm', () => groupNorm({groups: 2}), [NORMALIZE, GRADIENT], 11],
      // No beta, and no gradient of one.
      ['RMSNorm', () => rmsNorm(), [NORMALIZE, GRADIENT], 9],
    ])(
      'runs no kernel and makes no tensor beside its own: %s',
      async (_, make, expected, tensors) => {
        const step = stepOf(make(), [60, 100]);
        expect(await kernelsOf(step)).toEqual(expected);
        const first = tf.scalar(0).id;
        tf.dispose(step());
        expect(tf.scalar(0).id - first - 1).toBe(tensors);
      },
    );
  }

  it('saves inputs and statistics for the gradient without copying them', async () => {
    const x = randomTensor([1000, 16], 1);
    let buffers = NaN;
    const step = (): tf.Tensor =>
      tf.grad((a) => {
        const before = tf.memory().numDataBuffers;
        const y = ops.layerNorm(a);
        buffers = tf.memory().numDataBuffers - before;
        return y;
      })(x, x);
    expect(await kernelsOf(step)).not.toContain('Identity');
    // y, mean and variance; kernels of TensorFlow's ops keep the deviation, too.
    expect(buffers).toBe(keepsDeviation ? 4 : 3);
  });

  it('needs nothing of x after the forward pass but what it saved', () => {
    const expected = tf.grad((a) => ops.layerNorm(a))(
      randomTensor([6, 4], 1),
      randomTensor([6, 4], 2),
    );
    const before = tf.memory().numTensors;
    const actual = tf.grad((a) => {
      const input = tf.mul(a, 1);
      const y = ops.layerNorm(input);
      input.dispose();
      return y;
    })(randomTensor([6, 4], 1), randomTensor([6, 4], 2));
    expect(difference(actual, expected)).toBe(0);
    // The result and its two inputs.
    expect(tf.memory().numTensors - before).toBe(3);
  });

  /** Runs a step of training on a tape of this kind. */
  const onTape = (makeTape: () => unknown[]): tf.Tensor => {
    const {state} = tf.engine();
    const {activeTape} = state;
    let tape: unknown[] | null = activeTape;
    Object.defineProperty(state, 'activeTape', {
      configurable: true,
      get: () => tape,
      set: (value: unknown[] | null) => (tape = value && makeTape()),
    });
    try {
      const x = randomTensor([6, 4], 1);
      return tf.grad((a) => ops.layerNorm(a))(x, x);
    } finally {
      Object.defineProperty(state, 'activeTape', {
        configurable: true,
        enumerable: true,
        writable: true,
        value: activeTape,
      });
    }
  };

  it.each<[string, () => unknown[]]>([
    // It has all that tfjs uses of an array.
    ['is no array', () => Object.create(Array.prototype) as unknown[]],
    [
      'has other nodes',
      () => {
        const tape: object[] = [];
        const push = (node: object): number =>
          Array.prototype.push.call(tape, {...node, kernelName: 'another'});
        return Object.assign(tape, {push});
      },
    ],
  ])('saves x in tfjs’s own way if the tape %s', (_, makeTape) => {
    const x = randomTensor([6, 4], 1);
    const expected = tf.grad((a) => ops.layerNorm(a))(x, x);
    const before = tf.memory().numTensors;
    const actual = onTape(makeTape);
    // The result and x.
    expect(tf.memory().numTensors - before).toBe(2);
    // The gradient that tensorflow then recomputes is rounded differently.
    const roundings = onTensorflow ? 8 : 0;
    expectCloseNow(actual, expected, {what: 'dx', roundings, scale: 1});
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
    const attributes = {view, epsilon: 1e-3, subtractMean: true};
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
