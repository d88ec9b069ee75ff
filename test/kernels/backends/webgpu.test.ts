// Launches of the WebGPU kernels, their memory, and devices that come and go.
// conformance.test.ts tests what they compute.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  ops,
  rmsNorm,
} from 'tfjs-normalization';
import {webgpuKernels} from '../../../src/kernels/backends/webgpu/kernels.js';
import {
  MOVING_STATISTICS,
  type NormalizeAttributes,
  viewSize,
} from '../../../src/kernels/contract.js';
import {gpuRunnerOf} from '../../../src/kernels/tfjs_private_gpu.js';
import {runKernel} from '../../../src/ops/run_kernel.js';
import {normalize} from '../../oracle/view.js';
import {expectClose} from '../../support/close.js';
import {difference, randomTensor, valuesOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {expectedGradients} from '../agreement.js';
import {type Case, checkCases, dataOf, withoutPerOuter} from '../views.js';

interface Program {
  readonly shaderKey: string;
  readonly outputShape: readonly number[];
}

interface Webgpu {
  readonly device: {
    destroy(): void;
    readonly lost: Promise<unknown>;
  };
  runWebGPUProgram(program: Program, ...rest: unknown[]): tf.TensorInfo;
}

const backend = (): Webgpu => tf.backend() as unknown as Webgpu;

/** The programs that a step launches, in order. */
function programsOf(step: () => void): Program[] {
  const spy = jest.spyOn(backend(), 'runWebGPUProgram');
  try {
    step();
    return spy.mock.calls.map(([program]) => program);
  } finally {
    spy.mockRestore();
  }
}

/** Forward and backward in x and all weights, with the moving statistics. */
function stepOf(make: () => tf.layers.Layer, shape: number[]): () => void {
  const layer = make();
  const x = randomTensor(shape, 1);
  const dy = randomTensor(shape, 2);
  const call = (input: tf.Tensor): tf.Tensor =>
    layer.apply(input, {training: true}) as tf.Tensor;
  tf.dispose(call(x));
  const weights = layer.trainableWeights.map((weight) => weight.read());
  return () => {
    tf.dispose(tf.grads((input) => call(input))([x, ...weights], dy));
  };
}

const LAYERS: ReadonlyArray<
  [what: string, most: number, make: () => tf.layers.Layer, shape: number[]]
> = [
  ['BatchNorm', 11, () => batchNorm(), [128, 32]],
  ['BatchNorm, an odd number of features', 11, () => batchNorm(), [128, 33]],
  ['BatchNorm of images', 11, () => batchNorm(), [8, 28, 28, 64]],
  ['BatchNorm of colours', 11, () => batchNorm(), [8, 64, 64, 3]],
  ['BatchNorm, channels first', 11, () => batchNorm({axis: 1}), [8, 6, 28, 28]],
  ['BatchNorm without gamma', 10, () => batchNorm({scale: false}), [128, 32]],
  ['LayerNorm', 9, () => layerNorm(), [128, 32]],
  ['LayerNorm of sequences', 9, () => layerNorm(), [4, 50, 768]],
  ['LayerNorm of a few', 9, () => layerNorm(), [2, 31]],
  [
    'LayerNorm of images',
    9,
    () => layerNorm({axis: [1, 2, 3]}),
    [2, 128, 128, 8],
  ],
  ['LayerNorm, axis 1', 9, () => layerNorm({axis: 1}), [4, 32, 14, 14]],
  ['LayerNorm, axis 1, odd', 9, () => layerNorm({axis: 1}), [3, 31, 7, 5]],
  [
    'LayerNorm, axes 1 and 2',
    9,
    () => layerNorm({axis: [1, 2]}),
    [4, 14, 14, 32],
  ],
  ['LayerNorm, axis 0', 9, () => layerNorm({axis: 0}), [64, 96]],
  ['LayerNorm without beta', 8, () => layerNorm({center: false}), [512, 32]],
  ['RmsNorm', 8, () => rmsNorm(), [4, 50, 768]],
  ['RmsNorm, axis 1', 8, () => rmsNorm({axis: 1}), [4, 32, 14, 14]],
  ['GroupNorm', 9, () => groupNorm({groups: 4}), [4, 28, 28, 32]],
  ['GroupNorm of vectors', 9, () => groupNorm({groups: 4}), [512, 128]],
  [
    'GroupNorm, channels first',
    9,
    () => groupNorm({groups: 4, axis: 1}),
    [4, 32, 28, 28],
  ],
  ['InstanceNorm', 9, () => instanceNorm(), [4, 28, 28, 32]],
  [
    'InstanceNorm, channels first',
    9,
    () => instanceNorm({axis: 1}),
    [4, 32, 28, 28],
  ],
];

describe.each(LAYERS)('a training step of %s', (_, most, make, shape) => {
  it(`takes at most ${most} launches, all of them this package's`, () => {
    const programs = programsOf(stepOf(make, shape));
    expect(programs.length).toBeLessThanOrEqual(most);
    const keys = programs.map(({shaderKey}) => shaderKey);
    expect(keys.filter((key) => !key.startsWith('TfjsNormalization'))).toEqual(
      [],
    );
    expect(warnings()).toEqual([]);
  });

  it('writes y, dx and little more', () => {
    const sizes = programsOf(stepOf(make, shape))
      .map(({outputShape}) => outputShape.reduce((a, b) => a * b, 1))
      .sort((a, b) => b - a);
    const size = shape.reduce((a, b) => a * b, 1);
    expect(sizes.slice(0, 2)).toEqual([size, size]);
    expect(sizes[2]).toBeLessThanOrEqual(size / 2);
  });
});

describe('memory', () => {
  it.each<[string, () => tf.layers.Layer]>([
    ['BatchNorm', () => batchNorm()],
    ['LayerNorm', () => layerNorm()],
  ])(
    'is unchanged by 1,000 training steps of %s',
    async (_, make) => {
      const step = stepOf(make, [16, 8]);
      const one = tf.ones([1]);
      const memory = async (): Promise<object> => {
        // tfjs frees buffers when what used them has been submitted.
        const sum = tf.add(one, 1);
        await sum.data();
        const {numTensors, numBytes, ...gpu} = tf.memory();
        const {numBytesInGPU} = gpu as unknown as {numBytesInGPU: number};
        sum.dispose();
        return {numTensors, numBytes, numBytesInGPU};
      };
      for (let i = 0; i < 10; i++) step();
      const before = await memory();
      for (let i = 0; i < 1000; i++) step();
      expect(await memory()).toEqual(before);
    },
    120_000,
  );
});

describe('an input of integers that were cast', () => {
  it('is normalized, though tfjs leaves integers on the device', () => {
    const integers = tf.range(0, 96, 1, 'int32').reshape([12, 8]);
    const x = tf.cast(tf.add(integers, tf.scalar(0, 'int32')), 'float32');
    const same = tf.add(x, 0.0);
    for (const f of [
      (input: tf.Tensor) => ops.layerNorm(input),
      (input: tf.Tensor) => ops.batchNorm(input).y,
      (input: tf.Tensor) => tf.grad((a) => ops.layerNorm(a))(input, input),
    ]) {
      expect(difference(f(x), f(same))).toBe(0);
    }
  });
});

describe('MovingStatistics', () => {
  const moved = (rate: tf.Tensor): number[][] =>
    runKernel(MOVING_STATISTICS, [
      tf.tensor1d([0, 10]),
      tf.tensor1d([1, 2]),
      tf.tensor1d([4, 4]),
      tf.tensor1d([5, 5]),
      rate,
    ]).map(valuesOf);

  it('takes a rate from the device, and one from main memory', () => {
    const expected = [
      [1, 8.5],
      [2, 2.75],
    ];
    expect(moved(tf.scalar(0.25))).toEqual(expected);
    expect(moved(tf.mul(tf.scalar(0.5), 0.5))).toEqual(expected);
  });

  it('uploads no rate', () => {
    const rate = tf.scalar(0.25);
    const uploads = jest.spyOn(
      tf.backend() as unknown as {uploadToGPU(id: object): void},
      'uploadToGPU',
    );
    moved(rate);
    const ids = uploads.mock.calls.map(([id]) => id);
    expect(ids.length).toBeGreaterThan(0);
    expect(ids).not.toContain(rate.dataId);
  });
});

describe('a device of few workgroups', () => {
  // So that every grid needs two dimensions, which a device's 65,535 hardly ever do.
  const kernels = (): ReturnType<typeof webgpuKernels> =>
    webgpuKernels({...gpuRunnerOf(tf.backend()), mostWorkgroups: 3});

  it('computes the same', () =>
    checkCases(
      async (options) => {
        const {view, epsilon, subtractMean} = options;
        const size = Math.ceil(viewSize(view) / 64);
        if (size > 9) return;
        const data = dataOf(options);
        const [y, dx] = stepWith(kernels(), options, data);
        const plain = {epsilon, subtractMean};
        const expected = normalize(data.x.values, view, plain);
        const gradients = expectedGradients(
          {...options, scale: false, differentiableStatistics: false},
          data,
          false,
        );
        const scale = 1 / Math.sqrt(epsilon);
        await expectClose(y as tf.Tensor, expected.y, {
          what: 'y',
          roundings: 24,
          scale: 8,
        });
        await expectClose(dx as tf.Tensor, gradients.expected.dx, {
          what: 'dx',
          roundings: 32,
          scale: 8 * 8 * scale,
        });
      },
      40,
      // A kernel that is called directly may leave other views to others.
      withoutPerOuter,
    ));
});

/** y and dx of kernels that are called directly, without parameters. */
function stepWith(
  kernels: ReturnType<typeof webgpuKernels>,
  {view, epsilon, subtractMean}: Case,
  {x, dy}: ReturnType<typeof dataOf>,
): tf.Tensor[] {
  const attributes: NormalizeAttributes = {
    ...{view, epsilon, subtractMean},
    ...{scale: false, center: false, differentiableStatistics: false},
  };
  const forward = kernels.normalize?.(x.tensor, {}, attributes);
  if (forward === undefined) throw new Error('Normalize does not fit');
  const {y, mean, variance} = forward;
  const backward = kernels.normalizeGrad?.(
    {dy: dy.tensor, x: x.tensor, mean, variance},
    {...attributes, given: false},
  );
  if (backward === undefined) throw new Error('NormalizeGrad does not fit');
  return [y, backward.dx, mean, variance].map((info) =>
    tf.engine().makeTensorFromTensorInfo(info),
  );
}

it('leaves to core ops what a buffer of the device cannot hold', () => {
  const kernels = webgpuKernels({
    ...gpuRunnerOf(tf.backend()),
    mostBytes: 80,
  });
  /** The kernels that take x as so many rows of so many columns. */
  const fitting = (outer: number, group: number): string[] => {
    const x = randomTensor([outer, group], 1);
    const mean = tf.zeros([group]);
    const attributes: NormalizeAttributes = {
      view: {batch: 1, outer, group, channel: 1, inner: 1},
      ...{epsilon: 1e-3, subtractMean: true},
      ...{scale: false, center: false, differentiableStatistics: false},
    };
    const statistics = {mean, variance: mean};
    const results = {
      normalize: kernels.normalize?.(x, {}, attributes)?.y,
      apply: kernels.applyStatistics?.(x, mean, mean, {}, attributes),
      gradient: kernels.normalizeGrad?.(
        {dy: x, x, ...statistics},
        {...attributes, given: false},
      )?.dx,
    };
    return Object.entries(results).flatMap(([name, y]) => (y ? [name] : []));
  };
  expect(fitting(4, 4)).toEqual(['normalize', 'apply', 'gradient']);
  expect(fitting(6, 4)).toEqual([]);
  // x has 64 bytes, and what its gradient is computed from 320.
  expect(fitting(1, 16)).toEqual([]);
});

describe('a backend', () => {
  /** Other instances of the backend in use, which take its place. */
  async function anotherBackend(): Promise<void> {
    const factory = tf.findBackendFactory('webgpu');
    tf.removeBackend('webgpu');
    tf.registerBackend('webgpu', factory, 3);
    await tf.setBackend('webgpu');
  }

  it('that is removed and made again computes', async () => {
    const values = valuesOf(randomTensor([12, 8], 1));
    const compute = (): number[] =>
      valuesOf(ops.layerNorm(tf.tensor2d(values, [12, 8])));
    const before = compute();
    await anotherBackend();
    expect(compute()).toEqual(before);
    expect(warnings()).toEqual([]);
  });

  it('whose device is destroyed gives errors, not numbers', async () => {
    await anotherBackend();
    const x = randomTensor([64, 80], 1);
    const y = ops.layerNorm(x);
    backend().device.destroy();
    await expect(ops.layerNorm(x).data()).rejects.toThrow();
    await backend().device.lost;
    await expect(y.data()).rejects.toThrow();
    expect(() => ops.layerNorm(x)).toThrow(/the WebGPU device is lost: /);
    expect(() => ops.batchNorm(x)).toThrow(/the WebGPU device is lost: /);
    await anotherBackend();
    const again = ops.layerNorm(randomTensor([64, 80], 1));
    expect(valuesOf(again).every(Number.isFinite)).toBe(true);
  });
});
