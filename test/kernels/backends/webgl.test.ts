// The programs that WebGL runs: how many, with how much memory, and after a context is
// lost. conformance.test.ts compares their numbers with the oracle.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  ops,
  rmsNorm,
} from 'tfjs-normalization';
import {withFused} from '../../../bench/fused.js';
import {webglKernels} from '../../../src/kernels/backends/webgl/kernels.js';
import {difference, magnitude, randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

interface WebGLBackend {
  readonly gpgpu: {
    readonly gl: WebGL2RenderingContext;
    executeProgram(): void;
  };
  readonly numBytesInGPU: number;
  acquireTexture(...args: unknown[]): unknown;
}

const webgl = (): WebGLBackend => tf.backend() as unknown as WebGLBackend;

/** What runs while a function does: programs, and the peak of bytes that it adds. */
function watch(run: () => void): {launches: number; bytes: number} {
  const own = webgl();
  const {gpgpu} = own;
  const before = own.numBytesInGPU;
  const {executeProgram, acquireTexture} = {
    executeProgram: gpgpu.executeProgram.bind(gpgpu),
    acquireTexture: own.acquireTexture.bind(own),
  };
  let launches = 0;
  let peak = before;
  gpgpu.executeProgram = () => {
    launches += 1;
    executeProgram();
  };
  own.acquireTexture = (...args) => {
    const texture = acquireTexture(...args);
    peak = Math.max(peak, own.numBytesInGPU);
    return texture;
  };
  try {
    run();
  } finally {
    gpgpu.executeProgram = executeProgram;
    own.acquireTexture = acquireTexture;
  }
  return {launches, bytes: peak - before};
}

const LAYERS: ReadonlyArray<[string, number[], () => tf.layers.Layer, number]> =
  [
    ['batch norm', [16, 12, 12, 32], () => batchNorm(), 11],
    ['batch norm of vectors', [128, 64], () => batchNorm(), 11],
    ['batch norm, odd', [37, 5, 7, 9], () => batchNorm(), 11],
    [
      'batch norm, no parameters',
      [16, 12, 12, 32],
      () => batchNorm({center: false, scale: false}),
      11,
    ],
    ['batch norm, axis 1', [16, 32, 12, 12], () => batchNorm({axis: 1}), 11],
    ['layer norm', [8, 64, 48], () => layerNorm(), 9],
    ['layer norm, few rows', [2, 40_000], () => layerNorm(), 9],
    ['layer norm, odd', [7, 31, 65], () => layerNorm(), 9],
    [
      'layer norm, three axes',
      [8, 12, 12, 16],
      () => layerNorm({axis: [1, 2, 3]}),
      9,
    ],
    ['layer norm, axis 1', [8, 32, 48], () => layerNorm({axis: 1}), 9],
    [
      'layer norm, axis 1 of images',
      [8, 32, 13, 11],
      () => layerNorm({axis: 1}),
      9,
    ],
    [
      'layer norm, axes 1 and 2',
      [8, 12, 12, 16],
      () => layerNorm({axis: [1, 2]}),
      9,
    ],
    ['layer norm, axis 0', [64, 96], () => layerNorm({axis: 0}), 9],
    ['RMS norm', [8, 64, 48], () => rmsNorm(), 9],
    ['RMS norm, axis 1', [8, 32, 12, 12], () => rmsNorm({axis: 1}), 9],
    ['group norm', [8, 12, 12, 32], () => groupNorm({groups: 8}), 9],
    [
      'group norm, axis 1',
      [8, 32, 12, 12],
      () => groupNorm({groups: 8, axis: 1}),
      9,
    ],
    ['instance norm', [8, 12, 12, 32], () => instanceNorm(), 9],
  ];

describe.each(LAYERS)('%s', (_, shape, make, most) => {
  it('takes few launches, and no memory of the size of x beside y and dx', () => {
    const layer = make();
    const x = randomTensor(shape, 1);
    const dy = randomTensor(shape, 2);
    layer.apply(x);
    const parameters = layer.trainableWeights.map((weight) => weight.read());
    const step = (): void => {
      tf.tidy(() => {
        tf.grads((a, ...rest) => {
          expect(rest).toHaveLength(parameters.length);
          return layer.apply(a, {training: true}) as tf.Tensor;
        })([x, ...parameters], dy);
      });
    };
    step();
    const {launches, bytes} = watch(step);
    expect(launches).toBeGreaterThan(0);
    expect(launches).toBeLessThanOrEqual(most);
    // y and dx, padded to even rows and columns, and three quarters of one for all else,
    // beside the gradients of parameters and the moving statistics, padded to two rows.
    const weights = layer.weights.reduce((sum, w) => sum + w.read().size, 0);
    const padded = shape
      .map((n, i) => (i < shape.length - 2 ? n : n + (n % 2)))
      .reduce((product, n) => product * n, 4);
    expect(bytes).toBeGreaterThanOrEqual(2 * padded);
    expect(bytes).toBeLessThan(2.75 * padded + 8 * weights);
    expect(warnings()).toEqual([]);
    layer.dispose();
  });
});

describe('the second order', () => {
  it.each<[string, number[], (x: tf.Tensor) => tf.Tensor]>([
    ['batch norm', [6, 3, 4, 5], (x) => ops.batchNorm(x).y],
    ['layer norm', [5, 6, 8], (x) => ops.layerNorm(x)],
    ['group norm', [3, 4, 4, 8], (x) => ops.groupNorm(x, {groups: 2})],
  ])('agrees with the composed kernels: %s', (_, shape, f) => {
    const x = randomTensor(shape, 1);
    const weights = randomTensor(shape, 2);
    const penalty = (a: tf.Tensor): tf.Scalar => {
      const gradient = tf.grad((b) => tf.sum(tf.mul(f(b), weights)))(a);
      return tf.sum(tf.square(gradient));
    };
    const fused = tf.grad(penalty)(x);
    const composed = withFused(false, () => tf.grad(penalty)(x));
    // Both sum a hundred products or so, twice.
    const tolerance = 256 * 2 ** -24 * magnitude(composed);
    expect(magnitude(composed)).toBeGreaterThan(0);
    expect(difference(fused, composed)).toBeLessThan(tolerance);
  });
});

describe('1,000 steps', () => {
  it('leave memory unchanged', () => {
    const norms = [batchNorm(), layerNorm(), instanceNorm()];
    const x = randomTensor([4, 3, 5, 6], 1);
    const step = (): void => {
      for (const norm of norms) {
        const f = (a: tf.Tensor): tf.Tensor =>
          norm.apply(a, {training: true}) as tf.Tensor;
        tf.dispose(tf.grad(f)(x, x));
      }
    };
    step();
    const memory = (): object => {
      const {numTensors, numDataBuffers, numBytes} = tf.memory();
      const bytes = webgl().numBytesInGPU;
      return {numTensors, numDataBuffers, numBytes, bytes};
    };
    const before = memory();
    for (let i = 0; i < 1000; i++) step();
    expect(memory()).toEqual(before);
  }, 180_000);
});

describe('textures that are not packed', () => {
  it('are read as well', () => {
    const x = randomTensor([6, 5, 8], 1);
    const f = (a: tf.Tensor): tf.Tensor => ops.layerNorm(a);
    // Uploads x into a packed texture.
    tf.dispose(f(x));
    // tf.js reads WEBGL_PACK once.
    tf.env().set('WEBGL_PACK_BINARY_OPERATIONS', false);
    let plain: tf.Tensor;
    try {
      plain = tf.mul(x, 1);
    } finally {
      tf.env().set('WEBGL_PACK_BINARY_OPERATIONS', true);
    }
    expect(difference(f(plain), f(x))).toBe(0);
    expect(difference(tf.grad(f)(plain, x), tf.grad(f)(x, x))).toBe(0);
    const launches = (run: () => void): number =>
      watch(() => tf.tidy(run)).launches;
    // The kernel packs x once. Its gradient packs x and dy, which here are the same.
    const packed = launches(() => f(x));
    expect(launches(() => f(plain))).toBe(packed + 1);
    const step = launches(() => tf.grad(f)(x, x));
    expect(launches(() => tf.grad(f)(plain, plain))).toBe(step + 2);
  });
});

describe('textures that are packed for another shape', () => {
  // tf.js copies them, and a copy may be of another width.
  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['layer norm', (x) => ops.layerNorm(x)],
    ['batch norm', (x) => ops.batchNorm(x).y],
    ['group norm', (x) => ops.groupNorm(x, {groups: 8})],
  ])('are read as well: %s', (_, f) => {
    const x = randomTensor([4, 5, 48], 1);
    const dy = randomTensor([4, 5, 48], 2);
    // A tensor that is new is uploaded in the shape in which it is first read.
    const packedOtherwise = (tensor: tf.Tensor): tf.Tensor => {
      const other = tf.tensor(tensor.dataSync(), tensor.shape);
      tf.add(tf.reshape(other, [4, 5, 8, 6]), 1);
      return other;
    };
    const expected = tf.valueAndGrad(f)(x, dy);
    const actual = tf.valueAndGrad(f)(packedOtherwise(x), packedOtherwise(dy));
    expect(difference(actual.value, expected.value)).toBe(0);
    expect(difference(actual.grad, expected.grad)).toBe(0);
  });
});

describe('more than a million texels', () => {
  // Their places are found by dividing integers.
  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['batch norm', (x) => ops.batchNorm(x).y],
    ['layer norm', (x) => ops.layerNorm(x)],
  ])(
    'are each in their place: %s',
    (_, f) => {
      const x = randomTensor([5, 1001, 1024], 1);
      const dy = randomTensor([5, 1001, 1024], 2);
      const step = (): {value: tf.Tensor; grad: tf.Tensor} =>
        tf.valueAndGrad(f)(x, dy);
      const fused = step();
      const composed = withFused(false, step);
      for (const result of ['value', 'grad'] as const) {
        // Both sum some thousand products, in blocks.
        const tolerance = 64 * 2 ** -24 * magnitude(composed[result]);
        expect(difference(fused[result], composed[result])).toBeLessThan(
          tolerance,
        );
      }
    },
    180_000,
  );
});

describe('few long rows', () => {
  it('are summed in many parts, which one launch merges', () => {
    const launches = (shape: number[]): number => {
      const x = randomTensor(shape, 1);
      const run = (): void => {
        tf.dispose(ops.layerNorm(x));
      };
      // The first time, x is uploaded.
      run();
      return watch(run).launches;
    };
    expect(launches([512, 64])).toBe(4);
    expect(launches([2, 40_000])).toBe(5);
  });
});

describe('half floats and WebGL 1', () => {
  const kernelsWith = (flag: string, value: boolean | number): string[] => {
    const before = tf.env().get(flag) as boolean | number;
    tf.env().set(flag, value);
    try {
      return Object.keys(webglKernels(tf.backend()));
    } finally {
      tf.env().set(flag, before);
    }
  };

  it('have no fused kernels', () => {
    expect(kernelsWith('WEBGL_VERSION', 2)).toHaveLength(4);
    expect(kernelsWith('WEBGL_VERSION', 1)).toEqual([]);
    expect(kernelsWith('WEBGL_RENDER_FLOAT32_ENABLED', false)).toEqual([]);
  });
});

describe('a backend', () => {
  const values = (): number[] => [
    ...ops.layerNorm(randomTensor([6, 8], 1)).dataSync(),
  ];

  /** Removes the backend, and registers it again. */
  const renew = async (): Promise<void> => {
    const make = tf.findBackendFactory('webgl');
    // In tests tf.js keeps the programs of a context that it disposes.
    tf.env().set('IS_TEST', false);
    try {
      tf.removeBackend('webgl');
    } finally {
      tf.env().set('IS_TEST', true);
    }
    tf.registerBackend('webgl', make, 2);
    expect(await tf.setBackend('webgl')).toBe(true);
  };

  it('that is removed and made anew computes the same', async () => {
    const before = values();
    const first = tf.backend();
    await renew();
    expect(tf.backend()).not.toBe(first);
    const {launches} = watch(() => {
      expect(values()).toEqual(before);
    });
    expect(launches).toBeGreaterThan(0);
    expect(warnings()).toEqual([]);
  });

  it('whose context is lost says so, and computes the same when made anew', async () => {
    const before = values();
    const {gl} = webgl().gpgpu;
    const x = randomTensor([6, 8], 1);
    const {numTensors} = tf.memory();
    gl.getExtension('WEBGL_lose_context')?.loseContext();
    expect(gl.isContextLost()).toBe(true);
    // tf.js's own operations give zeros.
    expect(() => ops.layerNorm(x)).toThrow('context is lost');
    expect(() => ops.batchNorm(x)).toThrow('context is lost');
    expect(tf.memory().numTensors).toBe(numTensors);
    // tf.js hears of it by an event.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await renew();
    expect(webgl().gpgpu.gl).not.toBe(gl);
    expect(webgl().gpgpu.gl.isContextLost()).toBe(false);
    expect(values()).toEqual(before);
  });
});
