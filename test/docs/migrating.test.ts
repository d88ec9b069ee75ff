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

/** A layer that the page has advice on, and what PyTorch computes with the same numbers. */
interface Advised {
  readonly layer: tf.layers.Layer;
  /** The state_dict, after the page's line of Python. */
  readonly weight: () => tf.Tensor;
  readonly inputShape: readonly [
    channels: number,
    height: number,
    width: number,
  ];
  /** The output with its channels first. */
  readonly expected: number[];
  readonly outputShape: readonly number[];
  readonly terms: number;
}

const [CHANNELS, SIDE, OUT] = [2, 3, 4];
const image = wave(CHANNELS * SIDE * SIDE, 2);
const pixel = (c: number, i: number, j: number): number =>
  at(image, (c * SIDE + i) * SIDE + j);
const places = range(2).flatMap((a) => range(2).map((b) => [a, b] as const));

/** ConvTranspose2d(2, 4, 2, stride=2, bias=False), whose weight is [in, out, 2, 2]. */
function transposedConvolution(): Advised {
  const weight = wave(CHANNELS * OUT * 4, 2.1);
  const side = 2 * SIDE;
  const expected = range(OUT).flatMap((o) =>
    range(side).flatMap((i) =>
      range(side).map((j) => {
        const [a, b] = [i % 2, j % 2];
        const terms = range(CHANNELS).map(
          (c) =>
            pixel(c, (i - a) / 2, (j - b) / 2) *
            at(weight, ((c * OUT + o) * 2 + a) * 2 + b),
        );
        return sum(terms);
      }),
    ),
  );
  const options = {filters: OUT, kernelSize: 2, strides: 2, useBias: false};
  return {
    layer: tf.layers.conv2dTranspose(options),
    weight: () => tf.tensor(weight, [CHANNELS, OUT, 2, 2]),
    inputShape: [CHANNELS, SIDE, SIDE],
    expected,
    outputShape: [OUT, side, side],
    terms: CHANNELS,
  };
}

/** Conv2d(2, 2, 2, groups=2, bias=False), whose weight is [C, 1, 2, 2]. */
function depthwiseConvolution(): Advised {
  const weight = wave(CHANNELS * 4, 2.2);
  const side = SIDE - 1;
  const expected = range(CHANNELS).flatMap((c) =>
    range(side).flatMap((i) =>
      range(side).map((j) =>
        sum(
          places.map(
            ([a, b]) =>
              pixel(c, i + a, j + b) * at(weight, (c * 2 + a) * 2 + b),
          ),
        ),
      ),
    ),
  );
  return {
    layer: tf.layers.depthwiseConv2d({kernelSize: 2, useBias: false}),
    weight: () =>
      tf.transpose(tf.tensor(weight, [CHANNELS, 1, 2, 2]), [1, 0, 2, 3]),
    inputShape: [CHANNELS, SIDE, SIDE],
    expected,
    outputShape: [CHANNELS, side, side],
    terms: 4,
  };
}

/** Linear(2 · 3 · 3, 4, bias=False) behind a Flatten. */
function linearBehindFlatten(): Advised {
  const size = CHANNELS * SIDE * SIDE;
  const weight = wave(OUT * size, 2.3);
  const expected = range(OUT).map((o) =>
    sum(image.map((value, k) => value * at(weight, o * size + k))),
  );
  return {
    layer: tf.layers.dense({units: OUT, useBias: false}),
    weight: () => {
      const images = tf.tensor(weight, [OUT, CHANNELS, SIDE, SIDE]);
      return tf.reshape(tf.transpose(images, [0, 2, 3, 1]), [OUT, size]);
    },
    inputShape: [CHANNELS, SIDE, SIDE],
    expected,
    outputShape: [OUT, 1, 1],
    terms: size,
  };
}

it.each([
  ['a transposed convolution', transposedConvolution],
  ['a depthwise convolution', depthwiseConvolution],
  ['a Linear behind a Flatten', linearBehindFlatten],
] as const)(
  '%s takes the numbers of PyTorch as the page says',
  async (what, make) => {
    const copyFromTorch = await functionOfPage<CopyFromTorch>('copyFromTorch');
    const {layer, weight, inputShape, expected, outputShape, terms} = make();
    const [channels, height, width] = inputShape;
    const isDense = layer.getClassName() === 'Dense';
    const layers = isDense ? [tf.layers.flatten(), layer] : [layer];
    const input = tf.layers.inputLayer({inputShape: [height, width, channels]});
    const model = tf.sequential({layers: [input, ...layers]});
    const numbers = tf.tidy(() => weight().arraySync() as Numbers);
    copyFromTorch(layer, {'0.weight': numbers}, '0');
    const y = tf.tidy(() => {
      const x = tf.tensor4d(image, [1, channels, height, width]);
      const output = model.predict(tf.transpose(x, [0, 2, 3, 1])) as tf.Tensor;
      const [out = 1, ...sides] = outputShape;
      return tf.transpose(tf.reshape(output, [...sides, out]), [2, 0, 1]);
    });
    await expectClose(y, expected, {
      what,
      // A rounding for each product and each sum, of values up to 1.
      roundings: 2 * terms,
      scale: 1,
      shape: outputShape,
    });
    y.dispose();
    model.dispose();
  },
);

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
