// The programs of the WebGPU kernels, without a device: each unit of a tensor is somebody's,
// what is declared is used, and what is bound fits.
import type {TensorInfo} from '@tensorflow/tfjs';
import fc from 'fast-check';
import {webgpuKernels} from '../../../src/kernels/backends/webgpu/kernels.js';
import {
  asOneRun,
  chunksOfFew,
  dispatchOf,
  fewChunks,
  foldingGrid,
  type Grid,
  gridOf,
  manyChunks,
  summingGrid,
} from '../../../src/kernels/backends/webgpu/plan.js';
import {
  type Form,
  parametersForm,
  sharedForm,
  statisticsForm,
} from '../../../src/kernels/geometry.js';
import {
  type GradInputs,
  parametersCount,
  statisticsCount,
  valuesPerStatistic,
  type View,
  viewSize,
} from '../../../src/kernels/contract.js';
import type {GpuProgram} from '../../../src/kernels/tfjs_private_gpu.js';
import {anyView} from '../views.js';

/** What WebGPU guarantees, less 256 bytes for tfjs's uniforms. */
const MOST_WORKGROUPS = 65_535;
const WORKGROUP_BYTES = 16_384;
const STORAGE_BUFFERS = 8;

interface Call {
  readonly program: GpuProgram;
  readonly inputs: readonly TensorInfo[];
}

const infoOf = (shape: number[]): TensorInfo => ({
  dataId: {},
  shape,
  dtype: 'float32',
});

/** Kernels that launch nothing, and their launches. */
function recorder(rate?: number): {
  kernels: ReturnType<typeof webgpuKernels>;
  calls: Call[];
  /** What has not been freed. */
  alive: Map<object, number>;
  /** The sizes of what has. */
  freed: number[];
} {
  const calls: Call[] = [];
  const alive = new Map<object, number>();
  const freed: number[] = [];
  const kernels = webgpuKernels({
    mostBytes: 2 ** 27,
    mostWorkgroups: MOST_WORKGROUPS,
    run: (program, inputs) => {
      calls.push({program, inputs});
      const info = infoOf([program.output.size]);
      alive.set(info.dataId, program.output.size);
      return info;
    },
    dispose: ({dataId}) => {
      freed.push(alive.get(dataId) ?? NaN);
      expect(alive.delete(dataId)).toBe(true);
    },
    valueOf: () => rate,
  });
  return {kernels, calls, alive, freed};
}

interface Options {
  readonly view: View;
  readonly subtractMean: boolean;
  readonly scale: boolean;
  readonly center: boolean;
  readonly differentiableStatistics: boolean;
  readonly given: boolean;
}

/** Views of layers, with long axes, and any others. */
const layerViews: fc.Arbitrary<View> = fc.constantFrom(
  {batch: 1, outer: 25_088, group: 64, channel: 1, inner: 1},
  {batch: 1, outer: 2_000_000, group: 3, channel: 1, inner: 1},
  {batch: 1, outer: 32, group: 64, channel: 1, inner: 784},
  {batch: 2048, outer: 1, group: 1, channel: 768, inner: 1},
  {batch: 3, outer: 1, group: 1, channel: 1_000_000, inner: 1},
  {batch: 5_000_000, outer: 1, group: 1, channel: 2, inner: 1},
  {batch: 8, outer: 784, group: 8, channel: 32, inner: 1},
  {batch: 8, outer: 1, group: 8, channel: 32, inner: 784},
  {batch: 8, outer: 784, group: 64, channel: 1, inner: 1},
  {batch: 512, outer: 1, group: 4, channel: 8, inner: 1},
  {batch: 200, outer: 1, group: 1, channel: 5000, inner: 15},
  ...[784, 785].map((group) => ({
    ...{batch: 32, outer: 64, group, channel: 1, inner: 1, perOuter: true},
  })),
  {batch: 1, outer: 3, group: 100_000, channel: 1, inner: 1, perOuter: true},
  {batch: 2, outer: 9000, group: 7, channel: 1, inner: 1, perOuter: true},
);

const fitsView = ({channel, inner, perOuter = false}: View): boolean =>
  !perOuter || channel * inner === 1;

const anyOptions: fc.Arbitrary<Options> = fc.record({
  view: fc.oneof(anyView.filter(fitsView), layerViews),
  subtractMean: fc.boolean(),
  scale: fc.boolean(),
  center: fc.boolean(),
  differentiableStatistics: fc.boolean(),
  given: fc.boolean(),
});

/** Forward and backward. */
function step(
  kernels: ReturnType<typeof webgpuKernels>,
  {view, scale, center, given, ...rest}: Options,
): void {
  const flows = rest.differentiableStatistics && !given;
  const attributes = {
    ...{...rest, view, epsilon: 1e-3, scale, center},
    differentiableStatistics: flows,
  };
  const x = infoOf([viewSize(view)]);
  const parameter = infoOf([parametersCount(view)]);
  const statistic = (): TensorInfo => infoOf([statisticsCount(view)]);
  const parameters = {
    gamma: scale ? parameter : undefined,
    beta: center ? parameter : undefined,
  };
  const [mean, variance] = [statistic(), statistic()];
  const y = given
    ? kernels.applyStatistics?.(x, mean, variance, parameters, attributes)
    : kernels.normalize?.(x, parameters, attributes)?.y;
  expect(y?.shape).toEqual(x.shape);
  const inputs: GradInputs<TensorInfo> = {
    ...{dy: infoOf([viewSize(view)]), x, mean, variance},
    gamma: parameters.gamma,
    dmean: flows ? statistic() : undefined,
    dvariance: flows ? statistic() : undefined,
  };
  const gradients = kernels.normalizeGrad?.(inputs, {...attributes, given});
  expect(gradients?.dx.shape).toEqual(x.shape);
  expect([gradients?.dgamma?.shape, gradients?.dbeta?.shape]).toEqual([
    scale ? parameter.shape : undefined,
    center ? parameter.shape : undefined,
  ]);
}

/** Checks the code of a program. */
function expectRunnable({code: codeOf, ...program}: GpuProgram): void {
  const code = codeOf();
  expect(code).not.toMatch(/undefined|NaN|\[object/);
  // A binding that the code does not use is not in the layout that tfjs asks for.
  const names = program.inputs.map(([name]) => name);
  const used = ['x', 'dy', 'mean', 'variance', 'gamma', 'beta'].concat(
    ['dmean', 'dvariance', 'parts', 'sums', 'terms', 'old', 'value', 'other'],
    ['rate', 'result'],
  );
  const isUsed = (name: string): boolean =>
    new RegExp(`\\b${name}\\[`).test(code);
  expect(used.filter(isUsed).sort()).toEqual([...names, 'result'].sort());
  expect(names.length + 1).toBeLessThanOrEqual(STORAGE_BUFFERS);
  expect(program.threads).toBeLessThanOrEqual(256);
  const [, type] = /alias A = (\S+);/.exec(code) ?? [];
  const [, length] = /array<Acc, (\d+)>/.exec(code) ?? [];
  const bytes = Number(length ?? 0) * 3 * (type === 'f32' ? 4 : 16);
  expect(bytes).toBeLessThanOrEqual(WORKGROUP_BYTES);
  expect(program.integers.length + program.floats.length).toBe(
    program.uniforms.split(',').length,
  );
}

/** Tells if what is bound is of whole vectors, and the dispatch within limits. */
function fits({program, inputs}: Call): boolean {
  const {dispatch, output, integers} = program;
  return (
    inputs.length === program.inputs.length &&
    program.inputs.every(
      ([, width], i) => (inputs[i]?.shape[0] ?? NaN) % width === 0,
    ) &&
    output.size % output.width === 0 &&
    Math.max(...dispatch) <= MOST_WORKGROUPS &&
    integers.every(Number.isInteger)
  );
}

describe('the programs of a step', () => {
  it('are few and can run, and leave nothing but their results', () => {
    const codes = new Map<string, string>();
    fc.assert(
      fc.property(anyOptions, (options) => {
        const {kernels, calls, alive, freed} = recorder();
        step(kernels, options);
        const {given, scale, center, view} = options;
        const results =
          (given ? 1 : 3) + 1 + [scale, center].filter(Boolean).length;
        expect(alive.size).toBe(results);
        expect(calls.length).toBeLessThanOrEqual(9);
        expect(calls.filter((call) => !fits(call))).toEqual([]);
        for (const {program} of calls) {
          const known = codes.get(program.key);
          const code = program.code();
          codes.set(program.key, code);
          if (known === undefined) expectRunnable(program);
          else if (known !== code) throw new Error(`two of ${program.key}`);
        }
        // Statistics of few values take about as much themselves.
        if (valuesPerStatistic(view) < 64) return;
        expect(Math.max(0, ...freed)).toBeLessThanOrEqual(viewSize(view) / 4);
      }),
      {numRuns: 500},
    );
  });

  it('move statistics in two, with a rate from either memory', () => {
    for (const rate of [undefined, 0.25]) {
      const {kernels, calls} = recorder(rate);
      const [a, b, c, d] = [1, 2, 3, 4].map(() => infoOf([100])) as [
        TensorInfo,
        TensorInfo,
        TensorInfo,
        TensorInfo,
      ];
      kernels.movingStatistics?.({
        ...{movingMean: a, movingVariance: b, mean: c, variance: d},
        rate: infoOf([]),
      });
      expect(calls.length).toBe(2);
      expect(calls[0]?.program.inputs.length).toBe(rate === undefined ? 4 : 3);
      expect(calls[0]?.program.floats.includes(0.25)).toBe(rate === 0.25);
    }
  });
});

describe('a grid', () => {
  /** How often each unit is visited, as the shaders' prologue says. */
  function visits(grid: Grid): number[] {
    const {items, lanes, across, chunks, beside, length, group, run} = grid;
    const counts = new Array<number>(items * length).fill(0);
    const [x, y] = dispatchOf(grid, 5);
    for (let w = 0; w < x * y; w++) {
      for (let t = 0; t < lanes * across; t++) {
        const lane = beside ? Math.floor(t / across) : t % lanes;
        const side = beside ? t % across : Math.floor(t / lanes);
        const piece = w * across + side;
        if (piece >= items * chunks) continue;
        const chunk = beside ? Math.floor(piece / items) : piece % chunks;
        const q = beside ? piece % items : Math.floor(piece / chunks);
        const [b, u] = [Math.floor(q / group), q % group];
        const first = beside ? lane * chunks + chunk : chunk * lanes + lane;
        for (let k = first; k < length; k += lanes * chunks) {
          const row = b * grid.outer + Math.floor(k / run);
          const e = (row * group + u) * run + (k % run);
          counts[e] = (counts[e] ?? 0) + 1;
        }
      }
    }
    return counts;
  }

  it('visits every unit once', () => {
    const walks = fc.constantFrom(statisticsForm, sharedForm, parametersForm);
    const spreads = fc.constantFrom(
      gridOf,
      (form: Form, wide: boolean) => gridOf(form, wide, 100),
      (form: Form, wide: boolean) => summingGrid(form, wide, fewChunks),
      (form: Form, wide: boolean) => summingGrid(form, wide, manyChunks),
    );
    const cases = fc.tuple(anyView, walks, fc.boolean(), spreads);
    fc.assert(
      fc.property(cases, ([view, walk, wide, spread]) => {
        for (const each of [walk(view), asOneRun(walk(view))]) {
          const grid = spread(each, wide);
          const counts = visits(grid);
          expect(counts.length * grid.width).toBe(viewSize(view));
          expect(counts.every((count) => count === 1)).toBe(true);
        }
      }),
      {numRuns: 100},
    );
  });

  it('puts every sum together once', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(400), (items, sums) => {
        const grid = foldingGrid(items + 1, sums + 1, items + 1);
        expect(visits(grid).every((count) => count === 1)).toBe(true);
      }),
    );
  });

  it('gives each lane of a sum something to add', () => {
    fc.assert(
      fc.property(anyView, fc.boolean(), (view, wide) => {
        for (const most of [fewChunks, manyChunks, chunksOfFew]) {
          const grid = summingGrid(statisticsForm(view), wide, most);
          expect(grid.lanes * grid.chunks).toBeLessThanOrEqual(grid.length);
        }
      }),
    );
  });
});
