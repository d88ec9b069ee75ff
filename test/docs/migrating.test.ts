// Runs the functions of docs/migrating.md on weights of PyTorch's and Flax's own modules,
// and compares with what these modules predict (test/fixtures/make_states.py).
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from 'tfjs-normalization';
import states from '../fixtures/peer_states.json';
import {expectClose} from '../support/close.js';
import {documentBlocks, runBlock} from './blocks.js';

type Numbers = number | Numbers[];
type Named = Readonly<Record<string, Numbers>>;
type CopyFromTorch = (
  layer: tf.layers.Layer,
  state: Named,
  name: string,
) => void;
type CopyFromFlax = (
  layer: tf.layers.Layer,
  params: Named,
  batchStats?: Named,
) => void;

interface Predicted {
  readonly name: string;
  readonly shape: number[];
  readonly x: number[];
  readonly outputShape: number[];
  readonly y: number[];
}

interface TorchCase extends Predicted {
  readonly state: Named;
  /** The running statistics after a step of training. */
  readonly trained: Readonly<Record<string, number[]>> | null;
}

interface FlaxCase extends Predicted {
  readonly params: Named;
  readonly batchStats: Named;
}

const {torch, flax} = states as unknown as {
  torch: TorchCase[];
  flax: FlaxCase[];
};

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

const batchNormOfTorch = (options: object = {}): tf.layers.Layer =>
  batchNorm({
    epsilon: 1e-5,
    momentum: 0.9,
    unbiasedMovingVariance: true,
    ...options,
  });

/** The layers for each case, one for each of PyTorch's modules, by the page's table. */
const FROM_TORCH: Record<string, () => tf.layers.Layer[]> = {
  'Linear, BatchNorm1d': () => [
    tf.layers.dense({units: 3, useBias: false}),
    batchNormOfTorch(),
  ],
  'BatchNorm1d of a series': () => [batchNormOfTorch()],
  BatchNorm2d: () => [batchNormOfTorch()],
  'BatchNorm2d without affine': () => [
    batchNormOfTorch({center: false, scale: false}),
  ],
  'BatchNorm2d without bias': () => [batchNormOfTorch({center: false})],
  'BatchNorm2d without running statistics': () => [
    batchNormOfTorch({statistics: 'batch'}),
  ],
  'BatchNorm2d with a cumulative average': () => [
    batchNormOfTorch({movingAverage: 'cumulative'}),
  ],
  BatchNorm3d: () => [batchNormOfTorch()],
  'Conv2d, BatchNorm2d, ReLU': () => [
    tf.layers.conv2d({filters: 3, kernelSize: 2}),
    batchNormOfTorch(),
    tf.layers.reLU(),
  ],
  Conv1d: () => [tf.layers.conv1d({filters: 3, kernelSize: 2})],
  'Conv2d with padding': () => [
    tf.layers.conv2d({filters: 3, kernelSize: 3, padding: 'same'}),
  ],
  'Conv2d with padding and strides': () => [
    tf.layers.zeroPadding2d({padding: 1}),
    tf.layers.conv2d({filters: 3, kernelSize: 3, strides: 2}),
  ],
  ConvTranspose2d: () => [
    tf.layers.conv2dTranspose({filters: 3, kernelSize: 2, strides: 2}),
  ],
  'ConvTranspose2d with padding': () => [
    tf.layers.conv2dTranspose({
      filters: 3,
      kernelSize: 4,
      strides: 2,
      padding: 'same',
    }),
  ],
  'a depthwise Conv2d': () => [tf.layers.depthwiseConv2d({kernelSize: 2})],
  'Flatten, Linear': () => [tf.layers.flatten(), tf.layers.dense({units: 3})],
  LayerNorm: () => [layerNorm({epsilon: 1e-5})],
  'LayerNorm without bias': () => [layerNorm({epsilon: 1e-5, center: false})],
  'LayerNorm of channels, rows and columns': () => [
    layerNorm({axis: [1, 2, 3], epsilon: 1e-5}),
  ],
  GroupNorm: () => [groupNorm({groups: 2, epsilon: 1e-5})],
  InstanceNorm2d: () => [
    instanceNorm({epsilon: 1e-5, center: false, scale: false}),
  ],
  'InstanceNorm2d with affine': () => [instanceNorm({epsilon: 1e-5})],
  RMSNorm: () => [rmsNorm({epsilon: 1.1920929e-7})],
};

const FROM_FLAX: Record<string, () => tf.layers.Layer> = {
  Dense: () => tf.layers.dense({units: 3}),
  Conv: () => tf.layers.conv2d({filters: 3, kernelSize: 2}),
  ConvTranspose: () =>
    tf.layers.conv2dTranspose({filters: 3, kernelSize: 2, strides: 2}),
  'ConvTranspose with transpose_kernel': () =>
    tf.layers.conv2dTranspose({filters: 3, kernelSize: 2, strides: 2}),
  BatchNorm: () => batchNorm({epsilon: 1e-5}),
  'BatchNorm without scale': () => batchNorm({epsilon: 1e-5, scale: false}),
  LayerNorm: () => layerNorm({epsilon: 1e-6}),
  GroupNorm: () => groupNorm({groups: 2, epsilon: 1e-6}),
  'GroupNorm by its size': () => groupNorm({groups: 4 / 2, epsilon: 1e-6}),
  InstanceNorm: () => instanceNorm({epsilon: 1e-6}),
  RMSNorm: () => rmsNorm(),
};

/** A few of the statistics, and one for each product and sum, of which most cancel out. */
const ROUNDINGS = 16;

/** The same values with the second axis at the end; ranks of 2 have no other place. */
function channelsLast(x: tf.Tensor): tf.Tensor {
  const [batch = 0, channels = 1, ...places] = x.shape.map((_, axis) => axis);
  return tf.transpose(x, [batch, ...places, channels]);
}

function channelsFirst(x: tf.Tensor): tf.Tensor {
  const [batch = 0, ...others] = x.shape.map((_, axis) => axis);
  const channels = others.pop() ?? 1;
  return tf.transpose(x, [batch, channels, ...others]);
}

/** Modules that read the last axis in PyTorch too. */
const readsLast = (name: string): boolean =>
  /^(LayerNorm|RMSNorm)( without bias)?$/.test(name);

function made<T>(factories: Record<string, () => T>, name: string): T {
  const make = factories[name];
  if (make === undefined) throw new Error(`no layers for ${name}`);
  return make();
}

describe.each(torch)('a state_dict of PyTorch: $name', (each) => {
  const {name, state, trained, shape, outputShape} = each;
  const last = readsLast(name);
  const inputs = (): tf.Tensor =>
    tf.tidy(() => {
      const x = tf.tensor(each.x, shape);
      return last ? x : channelsLast(x);
    });

  async function loaded(x: tf.Tensor): Promise<tf.Sequential> {
    const copyFromTorch = await functionOfPage<CopyFromTorch>('copyFromTorch');
    const layers = made(FROM_TORCH, name);
    const input = tf.layers.inputLayer({inputShape: x.shape.slice(1)});
    const model = tf.sequential({layers: [input, ...layers]});
    layers.forEach((layer, i) => copyFromTorch(layer, state, String(i)));
    return model;
  }

  it('predicts the same', async () => {
    const x = inputs();
    const model = await loaded(x);
    const y = tf.tidy(() => {
      const output = model.predict(x) as tf.Tensor;
      return last ? output : channelsFirst(output);
    });
    await expectClose(y, each.y, {
      what: 'y',
      roundings: ROUNDINGS,
      shape: outputShape,
    });
    tf.dispose([x, y]);
    model.dispose();
  });

  if (trained === null) return;

  it('trains on with the same running statistics', async () => {
    const x = inputs();
    const model = await loaded(x);
    const y = model.apply(x, {training: true}) as tf.Tensor;
    const names = {running_mean: 'moving_mean', running_var: 'moving_variance'};
    for (const [key, expected] of Object.entries(trained)) {
      const [, layer = '', statistic = ''] = /^(\d+)\.(.*)$/.exec(key) ?? [];
      const ours = names[statistic as keyof typeof names];
      const weight = model.layers[Number(layer) + 1]?.weights.find((weight) =>
        weight.name.endsWith(`/${ours}`),
      );
      await expectClose(weight?.read() ?? [], expected, {
        what: key,
        roundings: ROUNDINGS,
      });
    }
    tf.dispose([x, y]);
    model.dispose();
  });
});

describe.each(flax)('params and batch_stats of Flax: $name', (each) => {
  it('predict the same', async () => {
    const copyFromFlax = await functionOfPage<CopyFromFlax>('copyFromFlax');
    const layer = made(FROM_FLAX, each.name.replace(/^(linen|nnx), /, ''));
    const [, ...inputShape] = each.shape;
    const input = tf.layers.inputLayer({inputShape});
    const model = tf.sequential({layers: [input, layer]});
    copyFromFlax(layer, each.params, each.batchStats);
    const y = tf.tidy(
      () => model.predict(tf.tensor(each.x, each.shape)) as tf.Tensor,
    );
    await expectClose(y, each.y, {
      what: 'y',
      roundings: ROUNDINGS,
      shape: each.outputShape,
    });
    y.dispose();
    model.dispose();
  });
});

it('a state without a weight of the layer is refused by the weight', async () => {
  const copyFromTorch = await functionOfPage<CopyFromTorch>('copyFromTorch');
  const layer = tf.layers.dense({units: 2, inputShape: [3]});
  const model = tf.sequential({layers: [layer]});
  const state = {'0.weight': [[1, 2, 3]]};
  expect(() => copyFromTorch(layer, state, '0')).toThrow(
    'The state has no 0.bias',
  );
  model.dispose();
});

it('has a case of both libraries for all that the layers are made for', () => {
  const names = flax.map(({name}) => name.replace(/^(linen|nnx), /, ''));
  expect(new Set(names)).toEqual(new Set(Object.keys(FROM_FLAX)));
  expect(torch.map(({name}) => name)).toEqual(Object.keys(FROM_TORCH));
});
