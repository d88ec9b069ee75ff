// Counts the kernels of a training step. On a GPU each is a launch, and with
// small tensors they take most of the time anywhere. Stock tfjs takes 91 to
// over 12,000 for layer normalization, and 82 for batch normalization.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from 'tfjs-normalization';
import {kernelsOf, randomTensor} from '../support/tensors.js';

/**
 * Runs forward and backward in x, gamma and beta, with the moving statistics.
 */
async function stepOf(
  layer: tf.layers.Layer,
  shape: number[],
): Promise<number> {
  const x = randomTensor(shape, 1);
  layer.apply(x, {training: true});
  const parameters = layer.trainableWeights.map((weight) => weight.read());
  const step = tf.grads((input, ...rest) => {
    expect(rest).toHaveLength(parameters.length);
    return layer.apply(input, {training: true}) as tf.Tensor;
  });
  const kernels = await kernelsOf(() => step([x, ...parameters], x));
  expect(kernels).toContain('TfjsNormalization/NormalizeGrad');
  return kernels.length;
}

describe('a training step of LayerNorm', () => {
  it.each([
    [
      '[N, C]',
      -1,
      [
        [8, 16],
        [64, 16],
        [8, 768],
        [100, 1000],
      ],
    ],
    [
      '[N, T, C]',
      -1,
      [
        [4, 6, 8],
        [16, 6, 8],
        [4, 50, 8],
        [2, 3, 1024],
      ],
    ],
    [
      '[N, H, W, C], all but the batch',
      [1, 2, 3],
      [
        [4, 5, 6, 8],
        [9, 12, 6, 4],
      ],
    ],
    [
      '[N, C, H, W], the channels',
      1,
      [
        [4, 3, 5, 6],
        [2, 16, 12, 12],
      ],
    ],
  ])('takes at most 60 kernels, for any sizes: %s', async (_, axis, shapes) => {
    const counts: number[] = [];
    for (const shape of shapes) {
      counts.push(await stepOf(layerNorm({axis}), shape));
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(60);
    expect(new Set(counts).size).toBe(1);
  });
});

describe('a training step of BatchNorm', () => {
  it.each([
    [
      '[N, C]',
      -1,
      [
        [8, 4],
        [60, 100],
        [1024, 7],
      ],
    ],
    [
      '[N, H, W, C]',
      -1,
      [
        [4, 5, 6, 3],
        [2, 28, 28, 8],
      ],
    ],
    [
      '[N, C, H, W]',
      1,
      [
        [4, 3, 5, 5],
        [2, 8, 28, 28],
      ],
    ],
    [
      '[N, H, W, C], two features',
      [1, 3],
      [
        [4, 3, 5, 5],
        [2, 8, 10, 9],
      ],
    ],
  ])('takes at most 80 kernels, for any sizes: %s', async (_, axis, shapes) => {
    const counts: number[] = [];
    for (const shape of shapes) {
      counts.push(await stepOf(batchNorm({axis}), shape));
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(80);
    expect(new Set(counts).size).toBe(1);
  });
});

type Make = (axis: number | number[]) => tf.layers.Layer;

const OF_CHANNELS: Array<[string, number, number[][]]> = [
  [
    '[N, T, C]',
    -1,
    [
      [4, 6, 8],
      [2, 50, 1024],
    ],
  ],
  [
    '[N, H, W, C]',
    -1,
    [
      [4, 12, 12, 8],
      [2, 28, 28, 16],
    ],
  ],
  [
    '[N, C, H, W]',
    1,
    [
      [4, 8, 5, 5],
      [2, 8, 28, 28],
    ],
  ],
];

describe.each<[string, Make]>([
  ['GroupNorm', (axis) => groupNorm({groups: 4, axis: Number(axis)})],
  ['InstanceNorm', (axis) => instanceNorm({axis: Number(axis)})],
])('a training step of %s', (_, make) => {
  it.each(OF_CHANNELS)(
    'takes at most 65 kernels, for any sizes: %s',
    async (__, axis, shapes) => {
      const counts: number[] = [];
      for (const shape of shapes) counts.push(await stepOf(make(axis), shape));
      expect(Math.max(...counts)).toBeLessThanOrEqual(65);
      expect(new Set(counts).size).toBe(1);
    },
  );
});

describe('a training step of RMSNorm', () => {
  it.each<[string, number | number[], number[][]]>([
    [
      '[N, C]',
      -1,
      [
        [8, 16],
        [100, 1000],
      ],
    ],
    ...OF_CHANNELS,
    [
      '[N, H, W, C], all but the batch',
      [1, 2, 3],
      [
        [4, 5, 6, 8],
        [9, 12, 6, 4],
      ],
    ],
  ])('takes at most 40 kernels, for any sizes: %s', async (_, axis, shapes) => {
    const counts: number[] = [];
    for (const shape of shapes) {
      counts.push(await stepOf(rmsNorm({axis}), shape));
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(40);
    expect(new Set(counts).size).toBe(1);
  });
});

// The cases that take more, according to docs/design.md.
describe('a training step that takes more', () => {
  it.each([
    ['a length of 5003 to pad', layerNorm(), [5003, 7], 64],
    ['rank 6, axes apart', layerNorm({axis: [1, 3]}), [2, 3, 2, 2, 2, 3], 72],
    [
      'a cumulative average of unbiased variances',
      batchNorm({
        axis: 1,
        movingAverage: 'cumulative',
        unbiasedMovingVariance: true,
      }),
      [4, 3, 5, 5],
      90,
    ],
    ['virtual batches', batchNorm({virtualBatchSize: 2}), [4, 5, 3], 20],
    [
      'virtual batches and a rest',
      batchNorm({virtualBatchSize: 2, unbiasedMovingVariance: true}),
      [5, 5, 3],
      90,
    ],
    [
      'renorm',
      batchNorm({
        renorm: true,
        renormClipping: {rmin: 0.5, rmax: 2, dmax: 1},
        movingAverage: 'cumulative',
        unbiasedMovingVariance: true,
      }),
      [4, 5, 3],
      84,
    ],
    ['renorm as it is', batchNorm({renorm: true}), [4, 5, 3], 68],
  ])('is bounded: %s', async (_, layer, shape, most) => {
    expect(await stepOf(layer, shape)).toBeLessThanOrEqual(most);
  });
});
