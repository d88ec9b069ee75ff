import {dispose, slice, Tensor} from '@tensorflow/tfjs-core';
import {hasOwn} from '../layer_support/options.js';
import {refusal} from '../util/received.js';
import {listed} from '../util/listed.js';

/** The inputs or targets of a model: a tensor, or one for each. */
export type Tensors =
  Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** A dataset of batches, as `tf.data` makes them. */
export interface BatchSource {
  /** Starts a pass through the batches. */
  iterator(): Promise<{
    /** Makes the next batch. */
    next(): Promise<{
      /** The batch. */
      readonly value: unknown;
      /** If true, the last batch was the one before. */
      readonly done?: boolean;
    }>;
  }>;
}

/**
 * Data as `model.fit` takes it: tensors `x`, `[x, y]` or `{xs, ys}`, or a `tf.data`
 * dataset of batches of these.
 */
export type ModelData =
  | Tensors
  | readonly [x: Tensors, y: Tensors]
  | {
      /** The inputs. */
      readonly xs: Tensors;
      /** The targets. */
      readonly ys?: Tensors;
    }
  | BatchSource;

/** The batch size, and the most batches. */
export interface BatchOptions {
  /** Examples in a batch of tensors. Defaults to 32, as in `model.fit`. */
  readonly batchSize?: number;
  /** The most batches to use. Defaults to all. */
  readonly batches?: number;
}

/** Whatever data is for: a model, or a layer, whose labels do not matter. */
export interface DataTaker {
  readonly inputNames: readonly string[];
  /** Without them labels are left out. */
  readonly outputNames?: readonly string[];
}

/** A batch. The receiver disposes it. */
export interface Batch {
  /** In the order of the model's inputs. */
  readonly x: Tensor[];
  /** In the order of the model's outputs; undefined where there is none. */
  readonly y: Tensor[] | undefined;
  /** The number of examples. */
  readonly size: number;
}

const BATCH_SIZE = 32;

/** Frees a batch's tensors. */
export function disposeBatch({x, y}: Batch): void {
  dispose([...x, ...(y ?? [])]);
}

/**
 * Checks the data, as far as possible before reading it.
 *
 * @param who The function that was called, for the message.
 * @return The number of batches; undefined if only the data's end tells.
 */
export function countBatches(
  data: ModelData,
  model: DataTaker,
  options: BatchOptions,
  who: string,
): number | undefined {
  const {batchSize, batches} = options;
  if (isSource(data)) {
    if (batchSize === undefined) return undefined;
    throw refusal(
      who,
      'batchSize is for tensors; batch a dataset with its own ' + 'batch()',
      'batchSize',
      batchSize,
    );
  }
  const {size} = batchOf(data, model, who);
  const available = Math.ceil(size / (batchSize ?? BATCH_SIZE));
  return Math.min(available, batches ?? available);
}

/**
 * Yields the data in batches.
 *
 * @param who The function that was called, for messages.
 * @throws Error if the data does not fit the model.
 */
export async function* batchesOf(
  data: ModelData,
  model: DataTaker,
  {batchSize = BATCH_SIZE, batches = Infinity}: BatchOptions,
  who: string,
): AsyncGenerator<Batch, void> {
  if (!isSource(data)) {
    const whole = batchOf(data, model, who);
    const end = Math.min(whole.size, batches * batchSize);
    for (let start = 0; start < end; start += batchSize) {
      yield sliceOf(whole, start, Math.min(batchSize, end - start));
    }
    return;
  }
  const iterator = await data.iterator();
  for (let count = 0; count < batches; count++) {
    const {value, done} = await iterator.next();
    if (done === true) return;
    yield batchOfElement(value, model, who);
  }
}

/** Tells if data has labels; for a dataset only its end tells. */
export function mayHaveLabels(
  data: ModelData,
  model: DataTaker,
  who: string,
): boolean {
  return isSource(data) || batchOf(data, model, who).y !== undefined;
}

/** If true, data is a dataset of batches. */
export function isSource(data: ModelData): data is BatchSource {
  return typeof (data as Partial<BatchSource> | null)?.iterator === 'function';
}

function batchOfElement(value: unknown, model: DataTaker, who: string): Batch {
  try {
    const batch = batchOf(value, model, who);
    if (model.outputNames === undefined) {
      const {ys} = separate(value, model.inputNames.length);
      dispose((ys as Tensor[] | undefined) ?? []);
    }
    return batch;
  } catch (error) {
    dispose(value as Tensor[]);
    throw error;
  }
}

/**
 * Takes a batch apart: `x`, `[x, y]` or `{xs, ys}`.
 *
 * @throws Error if it does not fit what it is for.
 */
export function batchOf(
  data: unknown,
  {inputNames, outputNames}: DataTaker,
  who: string,
): Batch {
  const {xs, ys} = separate(data, inputNames.length);
  const x = inOrder(xs, inputNames, 'x', who);
  const y =
    ys === undefined || outputNames === undefined
      ? undefined
      : inOrder(ys, outputNames, 'y', who);
  const [size = 0, ...others] = [...x, ...(y ?? [])].map(lengthOf);
  if (others.some((other) => other !== size)) {
    throw refusal(
      who,
      'x and y must have the same number of examples',
      'lengths',
      [size, ...others],
    );
  }
  return {x, y, size};
}

/** Tells x from y. A pair is `[x, y]` unless it must be two inputs. */
function separate(data: unknown, inputs: number): {xs: unknown; ys?: unknown} {
  if (Array.isArray(data)) {
    const [first, second] = data as unknown[];
    const areInputs = data.length === inputs && first instanceof Tensor;
    return data.length === 2 && !areInputs
      ? {xs: first, ys: second}
      : {xs: data};
  }
  const isPair = isRecord(data) && hasOwn(data, 'xs');
  return isPair ? {xs: data.xs, ys: data.ys} : {xs: data};
}

function inOrder(
  tensors: unknown,
  names: readonly string[],
  what: string,
  who: string,
): Tensor[] {
  const list = listOf(tensors, names);
  const complete = list.length === names.length;
  if (complete && list.every((tensor) => tensor instanceof Tensor)) {
    return list as Tensor[];
  }
  throw refusal(
    who,
    `${what} must be a tensor for each of ${listed(names)}`,
    what,
    describe(tensors),
  );
}

function listOf(tensors: unknown, names: readonly string[]): unknown[] {
  if (tensors instanceof Tensor) return [tensors];
  if (Array.isArray(tensors)) return tensors;
  if (!isRecord(tensors)) return [];
  return names.map((name) =>
    hasOwn(tensors, name) ? tensors[name] : undefined,
  );
}

function describe(value: unknown): unknown {
  if (value instanceof Tensor) return `a tensor of [${String(value.shape)}]`;
  if (Array.isArray(value)) return value.map(describe);
  return isRecord(value) ? Object.keys(value) : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !(value instanceof Tensor)
  );
}

function lengthOf({shape}: Tensor): number {
  return shape[0];
}

function sliceOf({x, y}: Batch, start: number, size: number): Batch {
  const cut = (tensor: Tensor): Tensor => slice(tensor, start, size);
  return {x: x.map(cut), y: y?.map(cut), size};
}
