import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from 'tfjs-normalization';
import {startBackend} from '../tools/backend.js';
import type {BackendName} from '../tools/backend_names.js';
import {InputError} from '../tools/errors.js';
import {type BenchBackend, isGpu} from './results.js';
import {quantile} from './statistics.js';
import {drawn} from './table.js';

/*
 * The time of a small step of training beyond that of its kernels: what tf.js and this
 * package do in JavaScript between them.
 */

const FACTORIES: Readonly<Record<string, () => tf.layers.Layer>> = {
  BatchNorm: () => batchNorm(),
  LayerNorm: () => layerNorm(),
  GroupNorm: () => groupNorm({groups: 4}),
  InstanceNorm: () => instanceNorm(),
  RMSNorm: () => rmsNorm(),
};

const SHAPES: ReadonlyArray<readonly number[]> = [
  [60, 100],
  [128, 1024],
];

/** A statistic of one channel needs more than one position. */
const IMAGE_SHAPES: ReadonlyArray<readonly number[]> = [[4, 5, 5, 60]];

const KERNELS = [
  'Normalize',
  'ApplyStatistics',
  'NormalizeGrad',
  'MovingStatistics',
].map((name) => `TfjsNormalization/${name}`);

/** Most of a compiler's work is done after so many runs. */
const WARM_UP = 1000;
const ROUNDS = 40;
const RUNS = 25;

/** The undisturbed runs of a program: its times below are near its fastest. */
const UNDISTURBED = 0.05;

/** Microseconds of a step of training, and of its kernels alone. */
export interface OverheadRow {
  readonly layer: string;
  readonly shape: readonly number[];
  /** The kernels of a step, without this package's prefix. */
  readonly kernels: readonly string[];
  readonly step: Times;
  readonly kernelsAlone: Times;
}

interface Times {
  readonly fast: number;
  readonly median: number;
}

interface KernelCall {
  readonly name: string;
  readonly run: () => void;
  readonly dispose: () => void;
}

/**
 * Measures every layer on each backend, and returns a table for each.
 *
 * @throws InputError if one of them is a browser's.
 */
export async function overheadTables(
  backends: readonly BenchBackend[],
): Promise<string> {
  const gpu = backends.find(isGpu);
  if (gpu !== undefined) {
    throw new InputError(
      `--overhead: only backends of Node have it. Received: --backend ${gpu}`,
    );
  }
  const tables: string[] = [];
  for (const backend of backends) {
    await startBackend(backend as BackendName);
    const rows = Object.keys(FACTORIES).flatMap((layer) =>
      (layer === 'InstanceNorm' ? IMAGE_SHAPES : SHAPES).map((shape) =>
        measureOverhead(layer, shape),
      ),
    );
    const head = ['', 'step', 'its kernels', 'between', 'between, median'];
    const title = `${backend}, forward, backward and average, µs`;
    tables.push(drawn({title, head, rows: rows.map(cellsOf)}));
  }
  return tables.join('\n\n');
}

/** Measures a layer on the backend in use. */
export function measureOverhead(
  layer: string,
  shape: readonly number[],
  {warmUp = WARM_UP, rounds = ROUNDS, runs = RUNS} = {},
): OverheadRow {
  const made = FACTORIES[layer]?.();
  if (made === undefined) throw new Error(`no layer ${layer}`);
  const x = tf.randomNormal([...shape]);
  const dy = tf.randomNormal([...shape]);
  made.build([...shape]);
  const weights = made.trainableWeights.map((weight) => weight.read());
  const gradients = tf.grads(
    (input) => made.apply(input, {training: true}) as tf.Tensor,
  );
  const step = (): void => {
    tf.dispose(gradients([x, ...weights], dy));
  };
  const calls = callsOf(step);
  const kernels = (): void => {
    for (const call of calls) call.run();
  };
  for (let i = 0; i < warmUp; i++) {
    step();
    kernels();
  }
  const steps: number[] = [];
  const alone: number[] = [];
  for (let round = 0; round < rounds; round++) {
    steps.push(...timesOf(step, runs));
    alone.push(...timesOf(kernels, runs));
  }
  for (const call of calls) call.dispose();
  tf.dispose([x, dy]);
  for (const weight of made.weights) weight.dispose();
  return {
    layer,
    shape,
    kernels: calls.map(({name}) => name.replace(/.*\//, '')),
    step: summaryOf(steps),
    kernelsAlone: summaryOf(alone),
  };
}

/** Times runs one after another; the first one only fills the caches. */
function timesOf(run: () => void, runs: number): number[] {
  run();
  return Array.from({length: runs}, () => {
    const begin = process.hrtime.bigint();
    run();
    return Number(process.hrtime.bigint() - begin) / 1000;
  });
}

function summaryOf(times: readonly number[]): Times {
  return {fast: quantile(times, UNDISTURBED), median: quantile(times, 0.5)};
}

/** The kernels of this package that a step runs, to be run again by themselves. */
function callsOf(step: () => void): KernelCall[] {
  const calls: KernelCall[] = [];
  const name = tf.getBackend();
  // Each registers itself where it is used first.
  step();
  const own = KERNELS.flatMap((kernel) => {
    const config = tf.getKernel(kernel, name) as tf.KernelConfig | undefined;
    return config ? [{config, kernelFunc: config.kernelFunc}] : [];
  });
  for (const {config, kernelFunc} of own) {
    config.kernelFunc = (params) => {
      const outputs = kernelFunc(params);
      const inputs = Object.values(params.inputs as object).map(share);
      calls.push({
        name: config.kernelName,
        run: () => {
          const again = kernelFunc({...params, inputs: inputs as never});
          for (const output of [again].flat()) free(output);
        },
        dispose: () => {
          tf.dispose(inputs);
        },
      });
      return outputs;
    };
  }
  try {
    step();
  } finally {
    for (const {config, kernelFunc} of own) config.kernelFunc = kernelFunc;
  }
  return calls;
}

/** Makes another tensor with the same data, which the step does not dispose of. */
function share(x: tf.TensorInfo): tf.Tensor {
  tf.backend().incRef(x.dataId);
  return tf.keep(tf.engine().makeTensorFromTensorInfo(x));
}

function free(output: tf.TensorInfo): void {
  if (output instanceof tf.Tensor) output.dispose();
  else tf.backend().disposeData(output.dataId);
}

function cellsOf({layer, shape, step, kernelsAlone}: OverheadRow): string[] {
  return [
    `${layer} [${shape.join()}]`,
    ...[
      step.fast,
      kernelsAlone.fast,
      step.fast - kernelsAlone.fast,
      step.median - kernelsAlone.median,
    ].map((time) => time.toFixed(0)),
  ];
}
