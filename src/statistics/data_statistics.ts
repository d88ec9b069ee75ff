import {Tensor, tensor, type TensorLike} from '@tensorflow/tfjs-core';
import {at} from '../util/at.js';
import {refusal} from '../util/received.js';
import {
  type Batch,
  batchesOf,
  batchOf,
  disposeBatch,
  isSource,
  type ModelData,
} from './data_batches.js';
import {type DataWatch, Progress} from './data_progress.js';
import {
  type ChannelStatistics,
  type FoundChannels,
  GatheredStatistics,
} from './gathered_statistics.js';

/** Data as `model.fit` takes it, or numbers. */
export type FeatureData = ModelData | TensorLike;

/** Options of finding statistics of data. */
export interface FeatureOptions extends DataWatch {
  /**
   * The feature axes for data of a shape: ascending, never the batch's. Throws where
   * the data cannot have this shape.
   */
  readonly axesFor: (shape: readonly number[]) => readonly number[];
  /** Named first in messages. */
  readonly who: string;
}

/** Statistics of data for each position on its feature axes. */
export interface FeatureStatistics extends ChannelStatistics {
  /** The number of values in each statistic. */
  readonly count: number;
  /** The data's shape; null on the axes that are not features. */
  readonly shape: ReadonlyArray<number | null>;
}

/** A layer's only input; its labels are left out. */
const INPUT = {inputNames: ['input']};

/** As many values of a tensor are counted before other tasks may run. */
const VALUES_AT_ONCE = 2 ** 18;

/**
 * Finds the mean and the biased variance of data for each position on its feature axes,
 * in float64, so that the cut into batches makes no difference.
 *
 * @throws Error if the data is none, is empty, has values that are not finite, or if its
 *   batches have different feature axes.
 */
export async function statisticsOfData(
  source: FeatureData,
  options: FeatureOptions,
): Promise<FeatureStatistics> {
  const {who} = options;
  const own = isNumbers(source) ? toTensor(source, who) : undefined;
  const data = own ?? (source as ModelData);
  try {
    if (isSource(data)) {
      const batches = batchesOf(data, INPUT, {}, who);
      return await gather(partsOf(batches, who), undefined, options);
    }
    const {x} = batchOf(data, INPUT, who);
    const parts = await cut(x, who);
    return await gather(parts, parts.length, options);
  } finally {
    own?.dispose();
  }
}

/** Values of some examples. */
interface Part {
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

async function* partsOf(
  batches: AsyncIterable<Batch>,
  who: string,
): AsyncGenerator<Part, void> {
  for await (const batch of batches) {
    try {
      yield await partOf(batch.x, who);
    } finally {
      disposeBatch(batch);
    }
  }
}

/** Cuts what has been read, which moves nothing to a device or back. */
async function cut(x: readonly Tensor[], who: string): Promise<Part[]> {
  const {values, shape} = await partOf(x, who);
  const [examples = 0, ...rest] = shape;
  const size = values.length / Math.max(1, examples);
  const step = Math.max(1, Math.floor(VALUES_AT_ONCE / Math.max(1, size)));
  const parts: Part[] = [];
  for (let start = 0; start < examples; start += step) {
    const length = Math.min(step, examples - start);
    const end = (start + length) * size;
    parts.push({
      values: values.subarray(start * size, end),
      shape: [length, ...rest],
    });
  }
  return parts;
}
/** Statistics of the batches so far. */
interface Gathered {
  readonly shape: ReadonlyArray<number | null>;
  readonly sum: GatheredStatistics;
}

async function gather(
  parts: Iterable<Part> | AsyncIterable<Part>,
  total: number | undefined,
  {axesFor, who, ...watch}: FeatureOptions,
): Promise<FeatureStatistics> {
  const progress = new Progress(watch, total);
  progress.check();
  let found: Gathered | undefined;
  for await (const part of parts) {
    if (part.values.length > 0) found = add(found, part, axesFor, who);
    await progress.advance();
  }
  if (found !== undefined) return resultOf(found, who);
  throw refusal(who, 'the data has no examples', 'examples', 0);
}

function add(
  before: Gathered | undefined,
  {values, shape}: Part,
  axesFor: FeatureOptions['axesFor'],
  who: string,
): Gathered {
  const axes = axesFor(shape);
  const known = shape.map((n, axis) => (axes.includes(axis) ? n : null));
  if (before && JSON.stringify(before.shape) !== JSON.stringify(known)) {
    throw refusal(
      who,
      `every batch of the data must have the shape of the first, ${JSON.stringify(before.shape)}`,
      'shape',
      shape,
    );
  }
  const part = partStatistics(values, shape, axes);
  part.mean.forEach((mean, feature) => {
    if (Number.isFinite(mean)) return;
    throw refusal(
      who,
      `the data has a value that is not finite, in feature ${feature} of ` +
        `${part.mean.length}; leave it out or replace it`,
      'mean',
      mean,
    );
  });
  const sum = before?.sum ?? new GatheredStatistics(part.mean.length);
  sum.add(part);
  return {shape: known, sum};
}

function resultOf({shape, sum}: Gathered, who: string): FeatureStatistics {
  const size = sizeOf(shape.map((length) => length ?? 1));
  // Kept where there is no second value.
  const none = new Float64Array(size);
  const {mean, variance, count} = sum.result({mean: none, variance: none});
  variance.forEach((value, feature) => {
    if (Number.isFinite(Math.fround(value))) return;
    throw refusal(
      who,
      `the variance of feature ${feature} is too large for float32; scale the ` +
        'data down first',
      'variance',
      value,
    );
  });
  return {mean, variance, count: at(count, 0), shape};
}

/**
 * Computes mean and biased variance for each position on the feature axes, in two passes.
 *
 * @param axes Ascending, without the first.
 */
function partStatistics(
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: readonly number[],
): FoundChannels {
  const features = featuresOfExample(shape, axes);
  const kept = sizeOf(axes.map((axis) => shape[axis] ?? 1));
  const count = values.length / kept;
  const average = (
    of: (value: number, feature: number) => number,
  ): Float64Array => {
    const sums = new Float64Array(kept);
    for (let start = 0; start < values.length; start += features.length) {
      for (let i = 0; i < features.length; i++) {
        const feature = at(features, i);
        sums[feature] = at(sums, feature) + of(at(values, start + i), feature);
      }
    }
    return sums.map((sum) => sum / count);
  };
  const mean = average((value) => value);
  const variance = average((value, f) => (value - at(mean, f)) ** 2);
  return {mean, variance, count: new Float64Array(kept).fill(count)};
}

/** The flat place on the feature axes of each value of an example. */
function featuresOfExample(
  shape: readonly number[],
  axes: readonly number[],
): Int32Array {
  const [, ...rest] = shape;
  const places = new Int32Array(sizeOf(rest));
  for (const axis of axes) {
    const length = shape[axis] ?? 1;
    const step = sizeOf(shape.slice(axis + 1));
    places.forEach((place, i) => {
      places[i] = place * length + (Math.floor(i / step) % length);
    });
  }
  return places;
}

function sizeOf(lengths: readonly number[]): number {
  return lengths.reduce((size, length) => size * length, 1);
}

async function partOf([x]: readonly Tensor[], who: string): Promise<Part> {
  if (x === undefined || x.dtype === 'string' || x.dtype === 'complex64') {
    throw refusal(who, 'the data must be of numbers', 'dtype', x?.dtype);
  }
  return {values: await x.data(), shape: x.shape};
}

/** If true, these are numbers and not tensors or a dataset. */
function isNumbers(data: unknown): data is TensorLike {
  if (typeof data === 'number' || ArrayBuffer.isView(data)) return true;
  return Array.isArray(data) && !(data[0] instanceof Tensor);
}

function toTensor(data: TensorLike, who: string): Tensor {
  // tf.js takes rows of different lengths, and mixes them up.
  const lengths = unevenLengths(data);
  if (lengths === undefined) return tensor(data);
  throw refusal(
    who,
    'the data has rows of different lengths',
    'lengths',
    lengths,
  );
}

/** The different lengths of neighbouring rows, if there are any. */
function unevenLengths(data: unknown): unknown[] | undefined {
  if (!Array.isArray(data)) return undefined;
  const lengths = new Set<unknown>();
  for (const row of data as unknown[]) {
    lengths.add((row as Partial<ArrayLike<unknown>> | undefined)?.length ?? 0);
    const inner = unevenLengths(row);
    if (inner !== undefined) return inner;
  }
  return lengths.size > 1 ? [...lengths] : undefined;
}
