// The native kernels in this process: that they are used, on each instruction set, with any
// number of threads; and that no call of an op, however wrong, harms the process.
import {existsSync, readFileSync} from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {ops} from 'tfjs-normalization';
import {
  expectApplied,
  expectGradients,
  expectNormalized,
} from '../kernels/agreement.js';
import {nativeKernels} from '../../src/kernels/backends/tensorflow/native.js';
import {checkCases, leavingNothing} from '../kernels/views.js';
import {randomTensor, valuesOf} from '../support/tensors.js';
import {addon, opsOf, runOp} from './support.js';

describe('a step of training', () => {
  it('takes one op forward and one backward, and leaves no tensor', async () => {
    const x = randomTensor([64, 16], 1);
    const step = (): tf.Tensor => tf.grad((a) => ops.layerNorm(a))(x, x);
    tf.dispose(step());
    await leavingNothing(() => {
      expect(opsOf(step)).toEqual([
        'TfjsNormalizationV1Normalize',
        'TfjsNormalizationV1NormalizeGrad',
      ]);
      return Promise.resolve();
    });
  });
});

/** The processor's flags that tell if it has the instructions. */
const FLAGS = {base: 'sse2', avx2: 'avx2', avx512: 'avx512vl'};
const CPUINFO = '/proc/cpuinfo';

describe.each(['base', 'avx2', 'avx512'] as const)('with %s', (name) => {
  let best: string;
  beforeEach(() => {
    best = addon().instructions();
    addon().instructions(name);
  });
  afterEach(() => addon().instructions(best as typeof name));

  if (process.arch === 'x64' && existsSync(CPUINFO)) {
    it('they are used where the processor has them', () => {
      const flags = readFileSync(CPUINFO, 'utf8').split(/\s+/);
      expect(addon().instructions() === name).toBe(flags.includes(FLAGS[name]));
    });
  }

  it('every kernel agrees with the oracle', () =>
    checkCases(async (options) => {
      await expectNormalized(options);
      await expectApplied(options);
      await expectGradients(options, {given: false, recorded: false});
      await expectGradients(options, {given: true, recorded: false});
    }, 25));
});

// Of more than 2 ** 18 values, from which on several threads compute.
describe('the number of threads', () => {
  let most: number;
  beforeEach(() => (most = addon().threads()));
  afterEach(() => addon().threads(most));

  it('stays between 1 and 64', () => {
    expect(addon().threads(0)).toBe(1);
    expect(addon().threads(1000)).toBe(64);
  });

  it.each([
    ['columns', [8200, 33], (x: tf.Tensor) => ops.batchNorm(x).y],
    ['rows', [530, 500], (x: tf.Tensor) => ops.layerNorm(x)],
    ['runs', [10, 12, 50, 50], (x: tf.Tensor) => ops.batchNorm(x, {axis: 1}).y],
  ] as Array<[string, number[], (x: tf.Tensor) => tf.Tensor]>)(
    'changes no bit: %s',
    (_, shape, normalize) => {
      const x = randomTensor(shape, 1, 5);
      const dy = randomTensor(shape, 2);
      const compute = (threads: number): Uint8Array[] => {
        addon().threads(threads);
        return tf.tidy(() =>
          [normalize(x), tf.grad(normalize)(x, dy)].map(
            (tensor) => new Uint8Array(tensor.dataSync().slice().buffer),
          ),
        );
      };
      const [y, dx] = compute(1);
      for (const threads of [2, 3, 8, 64]) {
        const [otherY, otherDx] = compute(threads);
        expect(Buffer.compare(otherY as Uint8Array, y as Uint8Array)).toBe(0);
        expect(Buffer.compare(otherDx as Uint8Array, dx as Uint8Array)).toBe(0);
      }
      tf.dispose([x, dy]);
    },
  );
});

describe('an op called by itself', () => {
  const NAMES = [
    'Normalize',
    'ApplyStatistics',
    'NormalizeGrad',
    'MovingStatistics',
  ];
  const OUTPUTS: Readonly<Record<string, number>> = {
    Normalize: 3,
    ApplyStatistics: 1,
    NormalizeGrad: 3,
    MovingStatistics: 2,
  };

  /** Runs an op on inputs of these sizes, and tells why it fails. */
  const failureOf = (
    name: string,
    sizes: number[],
    view: number[],
    epsilon = 1e-3,
  ): string | undefined => {
    const inputs = sizes.map((size) => tf.ones([size]));
    try {
      tf.dispose(runOp(name, inputs, view, epsilon, OUTPUTS[name] ?? 1));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      tf.dispose(inputs);
    }
  };

  const length = fc.oneof(
    fc.integer({min: 1, max: 9}),
    fc.constantFrom(-1, -1, 0, -2, 1 << 30, -(2 ** 31), 2 ** 31 - 1),
  );
  const size = fc.oneof(
    fc.integer({min: 0, max: 12}),
    fc.constantFrom(1, 2, 4, 6, 8, 12, 24, 36, 4096),
  );

  it('computes or fails, whatever its view and inputs, and leaves no tensor', () => {
    let failures = 0;
    const before = tf.memory().numTensors;
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES),
        fc.array(size, {minLength: 1, maxLength: 10}),
        fc.array(length, {minLength: 5, maxLength: 5}),
        fc.oneof(fc.integer({min: 0, max: 31}), fc.constantFrom(32, -1, 255)),
        fc.constantFrom(1e-3, 0, -1, NaN, Infinity),
        (name, sizes, lengths, flags, epsilon) => {
          const why = failureOf(name, sizes, [...lengths, flags], epsilon);
          if (why !== undefined) failures++;
          expect(why ?? 'InvalidArgument').toMatch(
            /InvalidArgument|view|input/,
          );
          expect(tf.memory().numTensors).toBe(before);
        },
      ),
      {numRuns: 2000},
    );
    expect(failures).toBeGreaterThan(0);
  });

  it('refuses every wrong size, a missing input and one too many', () => {
    // [batch, outer, group, channel, inner, flags]: all that there may be.
    const view = [-1, 3, 2, 2, 5, 1 | 2 | 4 | 16];
    const right: Array<[string, number[]]> = [
      ['Normalize', [120, 4, 4]],
      ['ApplyStatistics', [120, 4, 4, 4, 4]],
      ['NormalizeGrad', [120, 4, 4, 120, 4, 4, 4]],
      ['MovingStatistics', [7, 7, 7, 7, 1]],
    ];
    for (const [name, sizes] of right) {
      expect(failureOf(name, sizes, view)).toBeUndefined();
      for (const place of sizes.keys()) {
        for (const wrong of [0, 1, 3, 5, 119, 121, 5000]) {
          if (wrong === sizes[place]) continue;
          const other = sizes.map((each, i) => (i === place ? wrong : each));
          expect(failureOf(name, other, view)).toBeDefined();
        }
      }
      expect(failureOf(name, sizes.slice(0, -1), view)).toContain('missing');
      expect(failureOf(name, [...sizes, 4], view)).toContain('too many');
    }
  });

  it('refuses a view or an epsilon that is not valid', () => {
    const sizes = [12];
    expect(failureOf('Normalize', sizes, [-1, 1, 1, 3, 1, 4])).toBeUndefined();
    for (const view of [
      [-1, -1, 1, 3, 1, 4],
      [1, 1, -1, 3, 1, 4],
      [0, 1, 1, 3, 1, 4],
      [-1, 1, 1, 3, 1, 32],
      [-1, 1, 1, 5, 1, 4],
      [4, 2, 1, 3, 1, 4],
      [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1, 1, 1, 4],
    ]) {
      expect(failureOf('Normalize', sizes, view)).toBeDefined();
    }
    for (const epsilon of [-1, NaN, Infinity]) {
      expect(
        failureOf('Normalize', sizes, [-1, 1, 1, 3, 1, 4], epsilon),
      ).toBeDefined();
    }
  });

  it.each(['int32', 'bool', 'complex64', 'string'] as const)(
    'refuses values of type %s',
    (dtype) => {
      const inputs = {
        int32: () => tf.ones([12], 'int32'),
        bool: () => tf.ones([12], 'bool'),
        complex64: () => tf.complex(tf.ones([6]), tf.ones([6])),
        string: () => tf.fill([12], 'one', 'string'),
      };
      tf.tidy(() => {
        const x = inputs[dtype]();
        expect(() =>
          runOp('Normalize', [x], [-1, 1, 1, 3, 1, 4], 1e-3, 3),
        ).toThrow('expected to be a float tensor');
      });
    },
  );

  it('leaves views beyond 32 bits to other kernels', () => {
    const none = {
      prepare: () => ({op: '', records: []}),
      run: () => [],
    };
    const {normalize, applyStatistics, normalizeGrad} = nativeKernels(none);
    const attributes = {
      view: {batch: 2 ** 31, outer: 1, group: 1, channel: 1, inner: 1},
      ...{epsilon: 0, subtractMean: true, scale: false, center: false},
      ...{differentiableStatistics: false, given: false},
    };
    const x = tf.ones([1]);
    const given = {mean: x, variance: x, gamma: undefined};
    const results: unknown[] = [
      normalize?.(x, {}, attributes),
      applyStatistics?.(x, x, x, {}, attributes),
      normalizeGrad?.({dy: x, x, ...given}, attributes),
    ];
    expect(results).toEqual([undefined, undefined, undefined]);
  });

  it('serves more kinds of calls than it keeps', () => {
    const x = tf.tensor2d([[1], [3]]);
    for (let i = 0; i < 1100; i++) {
      tf.tidy(() => void ops.batchNorm(x, {epsilon: 1 + i / 1024}));
    }
    expect(valuesOf(ops.batchNorm(x, {epsilon: 3}).y)).toEqual([-0.5, 0.5]);
  });

  it('computes as before after all that', () => {
    const x = tf.tensor2d([[1], [3]]);
    // A power of two, whose root and quotient are exact: 1 / sqrt(1 + 3).
    expect(valuesOf(ops.batchNorm(x, {epsilon: 3}).y)).toEqual([-0.5, 0.5]);
  });
});
