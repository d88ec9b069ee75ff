import {type TensorInfo, util} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type GradInputs,
  type Gradients,
  type MovingInputs,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type Normalized,
  type Parameters,
  parametersCount,
  statisticsCount,
  valuesPerStatistic,
  type View,
  viewSize,
} from '../../contract.js';
import {type GpuRunner, gpuRunnerOf} from '../../tfjs_private_gpu.js';
import {type Launch, Launcher, type Tensors} from './launcher.js';
import {
  asOneRun,
  chunksOfFew,
  fewChunks,
  manyChunks,
  foldingGrid,
  type Grid,
  gridOf,
  summingGrid,
} from './plan.js';
import {parametersForm, sharedForm, statisticsForm} from '../../geometry.js';
import {sideOf} from './wgsl.js';

/** tfjs's WebGPU backend. */
export const webgpu: Backend = {
  name: 'webgpu',
  make: (instance) => webgpuKernels(gpuRunnerOf(instance)),
  hostFlag: 'WEBGPU_CPU_FORWARD',
  takesPerOuter: true,
};

/**
 * Statistics of fewer values than this for each of their parameters get sums of their
 * own: those for each parameter would take as much memory as x.
 */
const FEW_VALUES = 16;

/** The numbers for each statistic that dx is computed from, beside dy and x. */
const TERMS = 5;

/** Kernels for tfjs's WebGPU backend. */
export function webgpuKernels(runner: GpuRunner): Fused<TensorInfo> {
  const fits = ({view}: NormalizeAttributes): boolean =>
    !(view.perOuter && view.channel * view.inner > 1) &&
    4 * Math.max(viewSize(view), TERMS * statisticsCount(view)) <=
      runner.mostBytes;
  const launching = <Result>(
    attributes: NormalizeAttributes | undefined,
    kernel: (launcher: Launcher) => Result,
  ): Result | undefined => {
    if (attributes && !fits(attributes)) return undefined;
    const launcher = new Launcher(runner);
    try {
      return kernel(launcher);
    } finally {
      launcher.disposeIntermediates();
    }
  };
  return {
    normalize: (x, parameters, attributes) =>
      launching(attributes, (l) => normalize(l, x, parameters, attributes)),

    applyStatistics: (x, mean, variance, parameters, attributes) =>
      launching(attributes, (l) =>
        apply(l, {x, mean, variance, ...parameters}, attributes, true),
      ),

    normalizeGrad: (inputs, attributes) =>
      launching(attributes, (l) => normalizeGrad(l, inputs, attributes)),

    movingStatistics: (inputs) =>
      launching(undefined, (l) =>
        moveStatistics(l, inputs, runner.valueOf(inputs.rate)),
      ),
  };
}

function normalize(
  launcher: Launcher,
  x: TensorInfo,
  parameters: Parameters<TensorInfo>,
  attributes: NormalizeAttributes,
): Normalized<TensorInfo> {
  const {view, subtractMean} = attributes;
  const count = statisticsCount(view);
  const grid = summingGrid(asOneRun(statisticsForm(view)), true, fewChunks);
  const parts = launcher.intermediate({
    kind: 'moments',
    grid,
    spec: {own: true, subtractMean},
    tensors: {x},
    size: (3 * grid.chunks + (subtractMean ? 1 : 0)) * count,
  });
  const fromParts = {
    grid: foldingGrid(count, grid.chunks, view.group),
    spec: {own: true, subtractMean},
    tensors: {parts},
    size: count,
    sizes: {
      parts: grid.chunks,
      statisticCount: count,
      values: valuesPerStatistic(view),
    },
  };
  const mean = launcher.run({kind: 'mean', ...fromParts});
  const variance = launcher.run({kind: 'variance', ...fromParts});
  const tensors = {
    ...{x, parts: subtractMean ? parts : undefined, variance},
    ...parameters,
  };
  const y = apply(launcher, tensors, attributes, false, grid.chunks);
  return {y, mean, variance};
}

/**
 * Normalizes x.
 *
 * @param parts How many parts there are of each mean, if it is not given.
 */
function apply(
  launcher: Launcher,
  tensors: Tensors & {x: TensorInfo},
  {view, epsilon, subtractMean, scale, center}: NormalizeAttributes,
  given: boolean,
  parts = 1,
): TensorInfo {
  const values = valueGrid(view, scale || center, parts);
  return launcher.run({
    kind: 'y',
    grid: values.grid,
    spec: {...values.spec, subtractMean, given},
    tensors: subtractMean ? tensors : {...tensors, mean: undefined},
    size: viewSize(view),
    shape: tensors.x.shape,
    sizes: {
      ...values.sizes,
      parts,
      epsilon,
      values: valuesPerStatistic(view),
    },
  });
}

function normalizeGrad(
  launcher: Launcher,
  {dy, x, mean, variance, gamma, dmean, dvariance}: GradInputs<TensorInfo>,
  attributes: NormalizeGradAttributes,
): Gradients<TensorInfo> {
  const {view, epsilon, subtractMean, scale, center, given} = attributes;
  const flow = {
    launcher,
    attributes,
    tensors: {dy, x, ...(subtractMean ? {mean} : {}), variance, gamma},
    more: {...(subtractMean ? {dmean} : {}), dvariance},
  };
  const terms = given ? {} : termsOf(flow);
  const values = valueGrid(view, scale || center);
  const dx = launcher.run({
    kind: 'dx',
    grid: values.grid,
    spec: {...values.spec, subtractMean, given},
    tensors: given ? {dy, variance, gamma} : {dy, x, terms: terms.terms, gamma},
    size: viewSize(view),
    shape: x.shape,
    sizes: {...values.sizes, epsilon},
  });
  return {dx, ...parameterGradients(flow, terms)};
}

/** NormalizeGrad under way. */
interface Flow {
  readonly launcher: Launcher;
  readonly attributes: NormalizeGradAttributes;
  readonly tensors: Tensors & {dy: TensorInfo; x: TensorInfo};
  readonly more: Tensors;
}

/** The parts that dx is computed from. */
interface Terms {
  /** For each statistic. */
  readonly terms?: TensorInfo;
  /** The sums for each column that they were computed from, where there are any. */
  readonly sums?: {readonly tensor: TensorInfo; readonly chunks: number};
  /** If true, each statistic has its sums in one chunk. */
  readonly whole?: boolean;
}

function termsOf({launcher, attributes, tensors, more}: Flow): Terms {
  const {view, epsilon, subtractMean, scale, center} = attributes;
  const {dy, x, mean, variance, gamma} = tensors;
  const shape = withoutParameters(view, scale || center);
  const {channel, inner, perOuter = false} = shape;
  const along = perOuter || (channel > 1 && shape.outer * inner < FEW_VALUES);
  const count = statisticsCount(view);
  const dense = inner === 1;
  const grid = along
    ? summingGrid(
        statisticsForm(shape),
        dense || inner % 4 === 0 || !scale,
        chunksOfFew,
      )
    : summingGrid(asOneRun(sharedForm(shape)), isAligned(shape), manyChunks);
  const whole = along && grid.chunks === 1;
  const sizes = {
    ...{channel, inner, epsilon, statisticCount: count},
    values: valuesPerStatistic(view),
  };
  const tensor = launcher.intermediate({
    kind: 'sums',
    grid,
    spec: {
      own: along || channel === 1,
      along,
      dense,
      perOuter,
      subtractMean,
      whole,
    },
    tensors: {
      ...{dy, x, mean},
      ...(along ? {gamma} : {}),
      ...(whole ? {variance, ...more} : {}),
    },
    size: whole ? TERMS * count : 3 * grid.chunks * itemsOf(grid),
    sizes,
  });
  if (whole) return {terms: tensor, whole};
  const columns = along ? 1 : channel;
  const terms = launcher.intermediate({
    kind: 'terms',
    grid: foldingGrid(count, columns * grid.chunks, view.group),
    spec: {own: true, subtractMean},
    tensors: {
      ...{sums: tensor, mean, variance, ...more},
      ...(along ? {} : {gamma}),
    },
    size: TERMS * count,
    sizes: {...sizes, channel: columns, parts: grid.chunks},
  });
  return along ? {terms} : {terms, sums: {tensor, chunks: grid.chunks}};
}

function parameterGradients(
  {launcher, attributes, tensors}: Flow,
  {terms, sums, whole = false}: Terms,
): Pick<Gradients<TensorInfo>, 'dgamma' | 'dbeta'> {
  const {view, epsilon, subtractMean, scale, center, given} = attributes;
  const {batch, outer, group, channel, inner, perOuter = false} = view;
  const size = parametersCount(view);
  /** Adds up a plane of sums that has so many for each parameter. */
  const total = (from: TensorInfo, plane: 0 | 1, count: number): TensorInfo =>
    launcher.run({
      kind: 'total',
      grid: foldingGrid(size, count, size),
      spec: {plane},
      tensors: {sums: from},
      size,
    });
  if (!scale && !center) return {};
  if (sums) {
    const count = batch * sums.chunks;
    const dgamma = (): TensorInfo =>
      launcher.run({
        kind: 'dgamma',
        grid: foldingGrid(size, count, size),
        tensors: {sums: sums.tensor, terms},
        size,
        sizes: {batch, channel, statisticCount: statisticsCount(view)},
      });
    return {
      dgamma: scale ? dgamma() : undefined,
      dbeta: center ? total(sums.tensor, 0, count) : undefined,
    };
  }
  const {dy, x, mean, variance} = tensors;
  const own = channel === 1;
  // Neighbouring parameters have the same statistics with perOuter.
  const wide = perOuter ? group > 1 : isAligned(view);
  const grid = summingGrid(parametersForm(view), wide, manyChunks);
  // Few long statistics have many parameters, and a thread for each is enough.
  const chunks = given || whole ? grid.chunks : 1;
  const side = perOuter ? grid.width : own ? sideOf(grid) : 1;
  const sum = (plane?: 0 | 1): Launch => ({
    kind: 'parameters',
    grid: {...grid, chunks},
    spec: {own, perOuter, subtractMean, given, plane},
    tensors:
      plane === 0 ? {dy} : {dy, x, ...(given ? {mean, variance} : {terms})},
    size: (plane === undefined ? 2 : 1) * chunks * size,
    sizes: {
      ...{channel, epsilon, span: outer * inner},
      groups: group / side,
      statisticCount: statisticsCount(view) / side,
    },
  });
  const gradient = (): ((plane: 0 | 1) => TensorInfo) => {
    if (chunks === 1) return (plane) => launcher.run(sum(plane));
    // One of them alone needs no place for the other.
    const only = scale && center ? undefined : scale ? 1 : 0;
    const both = launcher.intermediate(sum(only));
    return (plane) => total(both, only === undefined ? plane : 0, chunks);
  };
  const of = gradient();
  return {
    dgamma: scale ? of(1) : undefined,
    dbeta: center ? of(0) : undefined,
  };
}

function moveStatistics(
  launcher: Launcher,
  inputs: MovingInputs<TensorInfo>,
  rate: number | undefined,
): [TensorInfo, TensorInfo] {
  const {movingMean, movingVariance, mean, variance} = inputs;
  const size = util.sizeFromShape(movingMean.shape);
  const move = (
    old: TensorInfo,
    value: TensorInfo,
    other: TensorInfo,
  ): TensorInfo =>
    launcher.run({
      kind: 'moved',
      grid: foldingGrid(size, 1, size),
      tensors: {
        old,
        value,
        other,
        ...(rate === undefined ? {rate: inputs.rate} : {}),
      },
      size,
      shape: old.shape,
      sizes: rate === undefined ? {} : {rate},
    });
  return [
    move(movingMean, mean, variance),
    move(movingVariance, variance, mean),
  ];
}

/** Without parameters channels are only a longer run. */
function withoutParameters(view: View, parameters: boolean): View {
  const {channel, inner} = view;
  if (parameters) return view;
  return {...view, channel: 1, inner: channel * inner, perOuter: false};
}

/** The way through x to write a value for each of its own. */
function valueGrid(
  view: View,
  parameters: boolean,
  parts = 1,
): Pick<Launch, 'grid' | 'spec' | 'sizes'> {
  const shape = withoutParameters(view, parameters);
  const {outer, channel, inner, perOuter = false} = shape;
  const along = perOuter || (channel > 1 && outer * inner === 1);
  const grid = along
    ? gridOf(statisticsForm(shape), true, parts)
    : gridOf(asOneRun(sharedForm(shape)), isAligned(shape), parts);
  const own = along || channel === 1;
  return {
    grid,
    spec: {own, along, dense: true, perOuter},
    sizes: {
      channel,
      statisticCount: statisticsCount(view) / (own ? sideOf(grid) : 1),
    },
  };
}

/** If true, four neighbouring columns have one statistic, or neighbouring ones. */
function isAligned({channel, inner}: View): boolean {
  return inner > 1 || channel === 1 || channel % 4 === 0;
}

function itemsOf(grid: Grid): number {
  return grid.items * sideOf(grid);
}
