// Unusual paths of the cpu backend: tiles so small that every view is cut in
// every way, rows too long to copy, and loops without WebAssembly.
// conformance.test.ts tests the usual paths.
import * as tf from '@tensorflow/tfjs';
import {cpuKernels} from '../../../src/kernels/backends/cpu/kernels.js';
import {
  parametersCount,
  statisticsCount,
  type View,
  viewSize,
} from '../../../src/kernels/contract.js';
import {CopyWorkspace} from '../../../src/kernels/backends/cpu/copy_workspace.js';
import {normalize} from '../../oracle/view.js';
import {expectClose} from '../../support/close.js';
import {
  difference,
  magnitude,
  randomTensor,
  valuesOf,
} from '../../support/tensors.js';
import {expectedGradients} from '../agreement.js';
import {type Case, checkCases, dataOf, withoutPerOuter} from '../views.js';
import {GuardedWorkspace} from './guarded_workspace.js';

const workspaceOf = (capacity: number, tileValues: number): CopyWorkspace =>
  new CopyWorkspace({capacity, tileValues});

const WORKSPACES: Array<[string, () => CopyWorkspace | undefined]> = [
  ['tiles of 64 values', () => workspaceOf(4096, 64)],
  ['rows of at most 100, in tiles of 1000', () => workspaceOf(100, 1000)],
  ['loops', () => undefined],
];

describe.each(WORKSPACES)('cpuKernels with %s', (_, make) => {
  conforms(() => cpuKernels(tf.backend(), {workspace: make()}));
});

// An index of a typed array beyond its end does nothing; an address of WebAssembly does.
describe.each([
  ['tiles of 64 values', {capacity: 4096, tileValues: 64}],
  ['rows of at most 100, in tiles of 1000', {capacity: 100, tileValues: 1000}],
  ['the usual tiles', {}],
])(
  'F11: in a memory with a guard around each buffer, cpuKernels with %s',
  (_, sizes) => {
    const made: GuardedWorkspace[] = [];
    conforms(() => {
      const workspace = new GuardedWorkspace(sizes);
      made.push(workspace);
      return cpuKernels(tf.backend(), {workspace});
    });

    afterEach(() => {
      const checked = made.splice(0).map((workspace) => workspace.checked);
      expect(Math.max(...checked)).toBeGreaterThan(0);
    });
  },
);

function conforms(kernels: () => ReturnType<typeof cpuKernels>): void {
  const asTensor = (info: tf.TensorInfo | undefined): tf.Tensor =>
    tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo);

  const check = (test: (options: Case) => Promise<void>): Promise<void> =>
    checkCases(test, 40, withoutPerOuter);

  it('normalizes, also with given statistics', async () => {
    await check(async (options) => {
      const {view, epsilon, subtractMean} = options;
      const {x, gamma, beta} = dataOf(options);
      const parameters = {
        gamma: options.scale ? gamma.tensor : undefined,
        beta: options.center ? beta.tensor : undefined,
      };
      const {normalize: run, applyStatistics} = kernels();
      const outputs = run?.(x.tensor, parameters, options);
      const expected = normalize(x.values, view, {
        epsilon,
        subtractMean,
        gamma: options.scale ? gamma.values : undefined,
        beta: options.center ? beta.values : undefined,
      });
      const plain = normalize(x.values, view, {epsilon, subtractMean});
      const scale = Math.max(1, magnitude(Array.from(plain.y))) * 4;
      const y = asTensor(outputs?.y);
      const mean = asTensor(outputs?.mean);
      const variance = asTensor(outputs?.variance);
      // As in the conformance tests.
      const tolerance = {what: 'y', roundings: 24, scale};
      await expectClose(y, expected.y, {...tolerance, shape: x.tensor.shape});
      await expectClose(mean, expected.mean, {
        what: 'mean',
        roundings: 8,
        scale: magnitude(x.values),
      });
      // A large mean is rounded, which is the only error here.
      if (Math.abs(options.mean) > 100) return;
      const again = applyStatistics?.(
        x.tensor,
        mean,
        variance,
        parameters,
        options,
      );
      await expectClose(asTensor(again), expected.y, {
        ...tolerance,
        // The mean is off by one rounding, relative to the deviation.
        scale:
          scale * Math.max(...plain.variance.map((v) => inverse(v, epsilon))),
      });
    });
  });

  it.each([false, true])(
    'has gradients, statistics given: %s',
    async (given) => {
      await check(async (options) => {
        const {epsilon, scale} = options;
        const data = dataOf(options);
        const {x, dy, gamma, dmean, dvariance} = data;
        const {flows, forward, rounded, expected} = expectedGradients(
          options,
          data,
          given,
        );
        const outputs = kernels().normalizeGrad?.(
          {
            dy: dy.tensor,
            x: x.tensor,
            mean: tf.tensor1d(rounded.mean),
            variance: tf.tensor1d(rounded.variance),
            gamma: scale ? gamma.tensor : undefined,
            dmean: flows ? dmean.tensor : undefined,
            dvariance: flows ? dvariance.tensor : undefined,
          },
          {...options, differentiableStatistics: flows, given},
        );
        const normalized = Math.max(1, magnitude(Array.from(forward.y)));
        const most = Math.max(
          ...rounded.variance.map((v) => inverse(v, epsilon)),
        );
        const flow = magnitude(dy.values) * 3 * most * (1 + normalized);
        const through = flows ? 4 + 8 * (normalized / most) : 0;
        await expectClose(asTensor(outputs?.dx), expected.dx, {
          what: 'dx',
          roundings: 32,
          scale: flow + through,
          shape: x.tensor.shape,
        });
        const sums =
          magnitude(dy.values) *
          Math.sqrt(x.values.length / gamma.values.length) *
          normalized;
        for (const [what, wanted, actual, right] of [
          ['dgamma', scale, outputs?.dgamma, expected.dgamma],
          ['dbeta', options.center, outputs?.dbeta, expected.dbeta],
        ] as const) {
          expect(actual !== undefined).toBe(wanted);
          if (!wanted) continue;
          const tolerance = {what, roundings: 32, scale: sums};
          await expectClose(asTensor(actual), right, tolerance);
        }
      });
    },
  );

  it('moves statistics, and keeps both where one is not finite', () => {
    const outputs = kernels().movingStatistics?.({
      movingMean: tf.tensor1d([0, 10]),
      movingVariance: tf.tensor1d([1, 2]),
      mean: tf.tensor1d([4, 4]),
      variance: tf.tensor1d([5, NaN]),
      rate: tf.scalar(0.25),
    });
    const values = outputs?.map((info) =>
      Array.from(asTensor(info).dataSync()),
    );
    expect(values).toEqual([
      [1, 10],
      [2, 2],
    ]);
  });
}

function inverse(variance: number, epsilon: number): number {
  return 1 / Math.sqrt(variance + epsilon);
}

describe('the memory of the copies', () => {
  it('stays small for tensors of any size', () => {
    const workspace = new CopyWorkspace();
    const {normalize: run} = cpuKernels(tf.backend(), {workspace});
    tf.tidy(() => {
      for (const [outer, group] of [
        [100_000, 64],
        [1_000_000, 1],
        [20, 200_000],
      ] as const) {
        const view = {batch: 1, outer, group, channel: 1, inner: 1};
        const x = tf.fill([outer * group], 0.5);
        const outputs = run?.(
          x,
          {},
          {
            view,
            epsilon: 1e-3,
            subtractMean: true,
            scale: false,
            center: false,
            differentiableStatistics: false,
          },
        );
        expect(asFinite(outputs?.mean)).toBe(statisticsCount(view));
      }
    });
    // Two tiles of 256 KB, and 52 bytes for each of 4096 columns.
    expect(workspace.bytes).toBeLessThanOrEqual(1024 * 1024);
  });

  describe('F17: never grows, which would slow down every typed array', () => {
    // 320 KB: several times the memory that a workspace begins with, which is 64 KB.
    const columns = {batch: 1, outer: 20, group: 4096, channel: 1, inner: 1};
    const rows = {batch: 20, outer: 1, group: 1, channel: 4096, inner: 1};
    const random = (size: number, seed: number): tf.Tensor =>
      tf.abs(randomTensor([size], seed));
    const data = (view: View) => ({
      x: random(viewSize(view), 1),
      dy: random(viewSize(view), 2),
      mean: random(statisticsCount(view), 3),
      variance: random(statisticsCount(view), 4),
      parameters: {
        gamma: random(parametersCount(view), 5),
        beta: random(parametersCount(view), 6),
      },
    });
    const attributesOf = (view: View) => ({
      view,
      epsilon: 1e-3,
      subtractMean: true,
      scale: true,
      center: true,
      differentiableStatistics: false,
      given: false,
    });
    type Infos = Record<string, tf.TensorInfo>;
    type Run = (kernels: ReturnType<typeof cpuKernels>) => object | undefined;
    const normalizeOver =
      (view: View): Run =>
      (kernels) => {
        const {x, parameters} = data(view);
        return kernels.normalize?.(x, parameters, attributesOf(view));
      };
    const gradientOver =
      (view: View, given: boolean): Run =>
      (kernels) => {
        const {parameters, ...inputs} = data(view);
        return kernels.normalizeGrad?.(
          {...inputs, gamma: parameters.gamma},
          {...attributesOf(view), given},
        );
      };

    it.each<[string, Run]>([
      ['Normalize, rows', normalizeOver(rows)],
      ['Normalize, columns', normalizeOver(columns)],
      ['NormalizeGrad, rows', gradientOver(rows, false)],
      ['NormalizeGrad, columns', gradientOver(columns, false)],
      ['NormalizeGrad, statistics given', gradientOver(columns, true)],
      [
        'ApplyStatistics',
        (kernels) => {
          const {x, mean, variance, parameters} = data(columns);
          const attributes = attributesOf(columns);
          return [
            kernels.applyStatistics?.(
              x,
              mean,
              variance,
              parameters,
              attributes,
            ),
          ];
        },
      ],
      [
        'MovingStatistics',
        (kernels) =>
          kernels.movingStatistics?.({
            movingMean: random(20_000, 1),
            movingVariance: random(20_000, 2),
            mean: random(20_000, 3),
            variance: random(20_000, 4),
            rate: tf.scalar(0.25),
          }),
      ],
    ])('%s', (_, run) => {
      const grow = jest.spyOn(WebAssembly.Memory.prototype, 'grow');
      const workspace = new CopyWorkspace();
      const {bytes} = workspace;
      const {values} = workspace as unknown as {values: Float32Array};
      const kernels = cpuKernels(tf.backend(), {workspace});
      const compute = (): number[] => {
        tf.engine().startScope();
        const infos = Object.values((run(kernels) ?? {}) as Infos);
        const outputs = infos.map((info) =>
          valuesOf(tf.engine().makeTensorFromTensorInfo(info)),
        );
        tf.engine().endScope();
        return outputs.flat();
      };
      const first = compute();
      expect(workspace.bytes).toBeGreaterThan(bytes);
      // A memory that grows, if only by its own instruction, takes this away.
      expect(values.length).toBe(bytes / 4);
      expect(grow).not.toHaveBeenCalled();
      grow.mockRestore();
      // The second time the memory is large enough from the beginning.
      expect(first.every(Number.isFinite)).toBe(true);
      expect(difference(first, compute())).toBe(0);
    });
  });

  const asFinite = (info: tf.TensorInfo | undefined): number => {
    const tensor = tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo);
    return tensor.dataSync().filter((value) => value === 0.5).length;
  };
});
