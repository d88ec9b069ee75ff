// Runs the functions of docs/migrating.md on a network whose results come from the formulas
// of PyTorch's documentation, in float64 and with its channels first.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {expectClose} from '../support/close.js';
import {documentBlocks, runBlock} from './blocks.js';

type Numbers = number | Numbers[];
type CopyFromTorch = (
  layer: tf.layers.Layer,
  state: Record<string, Numbers>,
  name: string,
) => void;
type CopyFromFlax = (
  layer: tf.layers.Layer,
  params: Record<string, Numbers>,
  batchStats?: Record<string, Numbers>,
) => void;

/** Runs the page's block that declares a function, and returns the function. */
async function functionOfPage<F>(name: string): Promise<F> {
  const block = documentBlocks().find(
    ({place, code}) =>
      place.startsWith('docs/migrating.md:') &&
      code.includes(`function ${name}(`),
  );
  if (block === undefined) throw new Error(`docs/migrating.md has no ${name}`);
  const found: Record<string, unknown> = {};
  const code = `${block.code}\nfound.${name} = ${name};`;
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await runBlock({...block, code}, {found});
  return found[name] as F;
}

/** A wave of numbers between -1 and 1 that differ. */
function wave(length: number, phase: number): number[] {
  return Array.from({length}, (_, i) => Math.fround(Math.sin(phase + 1.7 * i)));
}

/** Cuts values into nested lists, as `tolist()` of PyTorch does. */
function nested(values: number[], [, ...inner]: number[]): Numbers {
  if (inner.length === 0) return values;
  const size = inner.reduce((product, length) => product * length);
  return Array.from({length: values.length / size}, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), inner),
  );
}

const [N, C, H, W] = [2, 3, 4, 5];
const [FILTERS, KERNEL, UNITS] = [4, 2, 6];
const [ROWS, COLUMNS] = [H - KERNEL + 1, W - KERNEL + 1];
const EPSILON = 1e-5;

const x = wave(N * C * H * W, 0.1);
const kernel = wave(FILTERS * C * KERNEL * KERNEL, 0.2);
const bias = wave(FILTERS, 0.3);
const gamma = wave(FILTERS, 0.4);
const beta = wave(FILTERS, 0.5);
const mean = wave(FILTERS, 0.6);
const variance = wave(FILTERS, 0.7).map((value) => Math.fround(value + 1.5));
const matrix = wave(UNITS * FILTERS, 0.8);
const shift = wave(UNITS, 0.9);
const [lnGamma, lnBeta] = [wave(UNITS, 1), wave(UNITS, 1.1)];

const at = (values: readonly number[], i: number): number => values[i] ?? NaN;
const range = (length: number): number[] => [...Array(length).keys()];
const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** Conv2d: [N, C, H, W] and [out, in, h, w] give [N, out, ROWS, COLUMNS]. */
function convolved(): number[] {
  return range(N).flatMap((n) =>
    range(FILTERS).flatMap((f) =>
      range(ROWS).flatMap((row) =>
        range(COLUMNS).map((column) => {
          const terms = range(C).flatMap((c) =>
            range(KERNEL).flatMap((i) =>
              range(KERNEL).map((j) => {
                const pixel = ((n * C + c) * H + row + i) * W + column + j;
                const weight = ((f * C + c) * KERNEL + i) * KERNEL + j;
                return at(x, pixel) * at(kernel, weight);
              }),
            ),
          );
          return sum(terms) + at(bias, f);
        }),
      ),
    ),
  );
}

/** The values of one channel of [N, out, ROWS, COLUMNS]. */
function channel(values: readonly number[], f: number): number[] {
  const places = ROWS * COLUMNS;
  return range(N).flatMap((n) =>
    values.slice((n * FILTERS + f) * places, (n * FILTERS + f + 1) * places),
  );
}

/** BatchNorm2d in eval(), the mean over places, Linear and LayerNorm. */
function predicted(): number[] {
  const y = convolved();
  return range(N).flatMap((n) => {
    const pooled = range(FILTERS).map((f) => {
      const values = channel(y, f).slice(
        n * ROWS * COLUMNS,
        (n + 1) * ROWS * COLUMNS,
      );
      const normalized = values.map(
        (value) =>
          ((value - at(mean, f)) / Math.sqrt(at(variance, f) + EPSILON)) *
            at(gamma, f) +
          at(beta, f),
      );
      return sum(normalized) / normalized.length;
    });
    const linear = range(UNITS).map(
      (u) =>
        sum(pooled.map((value, f) => value * at(matrix, u * FILTERS + f))) +
        at(shift, u),
    );
    const center = sum(linear) / UNITS;
    const spread = sum(linear.map((value) => (value - center) ** 2)) / UNITS;
    return linear.map(
      (value, u) =>
        ((value - center) / Math.sqrt(spread + EPSILON)) * at(lnGamma, u) +
        at(lnBeta, u),
    );
  });
}

const STATE: Record<string, Numbers> = {
  'conv.weight': nested(kernel, [FILTERS, C, KERNEL, KERNEL]),
  'conv.bias': bias,
  'bn.weight': gamma,
  'bn.bias': beta,
  'bn.running_mean': mean,
  'bn.running_var': variance,
  'bn.num_batches_tracked': 12,
  'fc.weight': nested(matrix, [UNITS, FILTERS]),
  'fc.bias': shift,
  'ln.weight': lnGamma,
  'ln.bias': lnBeta,
};

function createModel(): tf.Sequential {
  return tf.sequential({
    layers: [
      tf.layers.conv2d({
        name: 'conv',
        filters: FILTERS,
        kernelSize: KERNEL,
        inputShape: [H, W, C],
      }),
      batchNorm({
        name: 'bn',
        epsilon: EPSILON,
        momentum: 0.9,
        unbiasedMovingVariance: true,
      }),
      tf.layers.globalAveragePooling2d({name: 'pool'}),
      tf.layers.dense({name: 'fc', units: UNITS}),
      layerNorm({name: 'ln', epsilon: EPSILON}),
    ],
  });
}

const channelsLast = (): tf.Tensor =>
  tf.tidy(() => tf.transpose(tf.tensor4d(x, [N, C, H, W]), [0, 2, 3, 1]));

describe('a state_dict of PyTorch', () => {
  it('predicts as PyTorch does', async () => {
    const copyFromTorch = await functionOfPage<CopyFromTorch>('copyFromTorch');
    const model = createModel();
    for (const name of ['conv', 'bn', 'fc', 'ln']) {
      copyFromTorch(model.getLayer(name), STATE, name);
    }
    const images = channelsLast();
    const y = model.predict(images) as tf.Tensor;
    // Five layers of sums of up to 24 terms; dividing by the spread of six
    // values that are near to each other multiplies what they are off by.
    await expectClose(y, predicted(), {
      what: 'y',
      roundings: 64,
      shape: [N, UNITS],
    });
    tf.dispose([images, y]);
    model.dispose();
  });

  it('trains on with running statistics as in PyTorch', async () => {
    const copyFromTorch = await functionOfPage<CopyFromTorch>('copyFromTorch');
    const model = createModel();
    for (const name of ['conv', 'bn']) {
      copyFromTorch(model.getLayer(name), STATE, name);
    }
    const images = channelsLast();
    const y = model.apply(images, {training: true}) as tf.Tensor;
    const [, , movingMean, movingVariance] = model.getLayer('bn').getWeights();
    const channels = range(FILTERS).map((f) => channel(convolved(), f));
    const averages = channels.map((values) => sum(values) / values.length);
    const unbiased = channels.map(
      (values, f) =>
        sum(values.map((value) => (value - at(averages, f)) ** 2)) /
        (values.length - 1),
    );
    // A sum of 12 products and one of 24 values, and the average: 8 roundings of the
    // largest product.
    await expectClose(
      movingMean as tf.Tensor,
      averages.map((value, f) => 0.9 * at(mean, f) + 0.1 * value),
      {what: 'running_mean', roundings: 8},
    );
    await expectClose(
      movingVariance as tf.Tensor,
      unbiased.map((value, f) => 0.9 * at(variance, f) + 0.1 * value),
      {what: 'running_var', roundings: 8},
    );
    tf.dispose([images, y]);
    model.dispose();
  });
});

it('the params and batch_stats of Flax arrive in the order of the weights', async () => {
  const copyFromFlax = await functionOfPage<CopyFromFlax>('copyFromFlax');
  const model = createModel();
  copyFromFlax(
    model.getLayer('bn'),
    {scale: gamma, bias: beta},
    {mean, var: variance},
  );
  copyFromFlax(model.getLayer('fc'), {
    kernel: nested(matrix, [FILTERS, UNITS]),
    bias: shift,
  });
  const weights = ['bn', 'fc'].flatMap((name) =>
    model.getLayer(name).getWeights(),
  );
  const values = weights.map((weight) => [...weight.dataSync()]);
  expect(values).toEqual([gamma, beta, mean, variance, matrix, shift]);
  model.dispose();
});
