// Unusual paths of the cpu backend: tiles so small that every view is cut in
// every way, rows too long to copy, and loops without WebAssembly.
// conformance.test.ts tests the usual paths.
import * as tf from '@tensorflow/tfjs';
import {cpuKernels} from '../../../src/kernels/backends/cpu/kernels.js';
import {statisticsCount} from '../../../src/kernels/contract.js';
import {CopyWorkspace} from '../../../src/kernels/backends/cpu/copy_workspace.js';
import {normalize} from '../../oracle/view.js';
import {expectClose} from '../../support/close.js';
import {magnitude} from '../../support/tensors.js';
import {expectedGradients} from '../agreement.js';
import {type Case, checkCases, dataOf} from '../views.js';

const workspaceOf = (capacity: number, tileValues: number): CopyWorkspace =>
  new CopyWorkspace({capacity, tileValues});

const WORKSPACES: Array<[string, () => CopyWorkspace | undefined]> = [
  ['tiles of 64 values', () => workspaceOf(4096, 64)],
  ['rows of at most 100, in tiles of 1000', () => workspaceOf(100, 1000)],
  ['loops', () => undefined],
];

describe.each(WORKSPACES)('cpuKernels with %s', (_, make) => {
  const kernels = () => cpuKernels(tf.backend(), {workspace: make()});
  const asTensor = (info: tf.TensorInfo | undefined): tf.Tensor =>
    tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo);

  const check = (test: (options: Case) => Promise<void>): Promise<void> =>
    checkCases(test, 40);

  it('normalizes, also with given statistics', async () => {
    await check(async (options) => {
      const {view, epsilon, centered} = options;
      const {x, gamma, beta} = dataOf(options);
      const parameters = {
        gamma: options.scale ? gamma.tensor : undefined,
        beta: options.center ? beta.tensor : undefined,
      };
      const {normalize: run, applyStatistics} = kernels();
      const outputs = run?.(x.tensor, parameters, options);
      const expected = normalize(x.values, view, {
        epsilon,
        centered,
        gamma: options.scale ? gamma.values : undefined,
        beta: options.center ? beta.values : undefined,
      });
      const plain = normalize(x.values, view, {epsilon, centered});
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
          {...options, statistics: flows, given},
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
});

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
            centered: true,
            scale: false,
            center: false,
            statistics: false,
          },
        );
        expect(asFinite(outputs?.mean)).toBe(statisticsCount(view));
      }
    });
    // Two tiles of 256 KB, and 52 bytes for each of 4096 columns.
    expect(workspace.bytes).toBeLessThanOrEqual(1024 * 1024);
  });

  it('F17: never grows, which would slow down every typed array', () => {
    const grow = jest.spyOn(WebAssembly.Memory.prototype, 'grow');
    const workspace = new CopyWorkspace();
    const before = workspace.bytes;
    const {normalize: run} = cpuKernels(tf.backend(), {workspace});
    const view = {batch: 9, outer: 1, group: 1, channel: 200_000, inner: 1};
    tf.tidy(() => {
      const x = tf.fill([9 * 200_000], 0.5);
      const flags = {centered: true, scale: false, center: false};
      const attributes = {view, epsilon: 1e-3, statistics: false, ...flags};
      const outputs = run?.(x, {}, attributes);
      expect(asFinite(outputs?.mean)).toBe(statisticsCount(view));
    });
    expect(workspace.bytes).toBeGreaterThan(before);
    expect(grow).not.toHaveBeenCalled();
    grow.mockRestore();
  });

  const asFinite = (info: tf.TensorInfo | undefined): number => {
    const tensor = tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo);
    return tensor.dataSync().filter((value) => value === 0.5).length;
  };
});
