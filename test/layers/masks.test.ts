import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';

const TRAINING = {training: true};

/** [2, 3, 1] with NaN under the mask. */
const X = [
  [[1], [2], [NaN]],
  [[3], [NaN], [NaN]],
];
const MASK = [
  [true, true, false],
  [true, false, false],
];

const maskOf = (rows: boolean[][]): tf.Tensor =>
  tf.tensor2d(rows, undefined, 'bool');

describe('BatchNorm: a mask', () => {
  it('leaves masked values out of the statistics', () => {
    const layer = batchNorm({momentum: 0});
    layer.apply(tf.tensor3d(X), {...TRAINING, mask: maskOf(MASK)});
    // Keras 3.15: mean 2 and variance 0.667 of [1, 2, 3, padding].
    const {moving_mean: mean, moving_variance: variance} = weightsOf(layer);
    // A sum and a division.
    expectCloseNow(mean ?? [], [2], {what: 'mean', roundings: 4});
    // Differences, squares, a sum and a division.
    expectCloseNow(variance ?? [], [2 / 3], {what: 'variance', roundings: 8});
  });

  it('keeps masked NaN out of every output and every gradient', () => {
    const layer = batchNorm();
    const mask = maskOf(MASK);
    const dy = tf.tensor3d([
      [[1], [-2], [0]],
      [[3], [0], [0]],
    ]);
    const f = (a: tf.Tensor): tf.Tensor =>
      layer.apply(a, {...TRAINING, mask}) as tf.Tensor;
    expect(valuesOf(f(tf.tensor3d(X))).every(Number.isFinite)).toBe(true);
    const [gamma, beta] = layer.trainableWeights.map((w) => w.read());
    const gradients = tf.grads((a, ...parameters) => {
      expect(parameters).toHaveLength(2);
      return f(a);
    })([tf.tensor3d(X), gamma as tf.Tensor, beta as tf.Tensor], dy);
    const dx = valuesOf(gradients[0] as tf.Tensor);
    const packed = batchNorm();
    const g = (a: tf.Tensor): tf.Tensor =>
      packed.apply(a, TRAINING) as tf.Tensor;
    const expected = tf.grad(g)(
      tf.tensor2d([[1], [2], [3]]),
      tf.tensor2d([[1], [-2], [3]]),
    );
    // dy of 3, less what flows through mean and variance.
    expectCloseNow([dx[0], dx[1], dx[3]] as number[], expected, {
      what: 'dx',
      roundings: 16,
      scale: 3,
    });
    expect([dx[2], dx[4], dx[5]]).toEqual([0, 0, 0]);
    expect(gradients.slice(1).flatMap(valuesOf).every(Number.isFinite)).toBe(
      true,
    );
  });

  it('keeps masked NaN out of the other outputs of a prediction', () => {
    const layer = batchNorm();
    const y = layer.apply(tf.tensor3d(X), {mask: maskOf(MASK)}) as tf.Tensor;
    expect(valuesOf(y).every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['[N, T] of [N, T, C]', [4, 5, 3], [4, 5], -1],
    ['[N] of [N, H, W, C]', [4, 2, 3, 2], [4], -1],
    ['[N, T] of [N, T, H, C]', [3, 4, 2, 2], [3, 4], -1],
    ['[N] of [N, C, T]', [5, 3, 4], [5], 1],
    ['[N, C] of [N, C, T], over the feature axis', [5, 3, 4], [5, 3], 1],
  ])(
    '%s counts as if the rest had been cut out',
    (_, shape, maskShape, axis) => {
      const x = randomTensor(shape, 4, 50, 3);
      const mask = tf.greater(randomTensor(maskShape, 11), 0);
      const layer = batchNorm({axis, momentum: 0});
      const y = layer.apply(x, {...TRAINING, mask}) as tf.Tensor;
      const {moving_mean: means = [], moving_variance: variances = []} =
        weightsOf(layer);
      const feature = axis === -1 ? shape.length - 1 : axis;
      const kept = keptValues(x, mask, feature);
      kept.forEach((values, channel) => {
        const mean = values.reduce((a, b) => a + b, 0) / values.length;
        const variance =
          values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
        // A sum, rounded at every addition of about 50, and a division.
        expectCloseNow([means[channel] ?? NaN], [mean], {
          what: 'mean',
          roundings: 6,
        });
        if (values.length > 1) {
          // Differences, squares, their sum and a division.
          expectCloseNow([variances[channel] ?? NaN], [variance], {
            what: 'variance',
            roundings: 32,
          });
        }
      });
      expect(y.shape).toEqual(shape);
    },
  );

  it.each([
    ['int32', [2, 2, 0, 2]],
    ['int32', [-1, 256, 0, 3]],
    ['float32', [0.5, 1, 0, 1]],
  ] as const)('of numbers counts what is not 0: %s %j', (dtype, numbers) => {
    const x = tf.tensor3d([
      [[1], [2]],
      [[NaN], [6]],
    ]);
    const layer = batchNorm({momentum: 0});
    const mask = tf.tensor2d([...numbers], [2, 2], dtype);
    layer.apply(x, {...TRAINING, mask});
    // A sum and a division.
    expectCloseNow(weightsOf(layer).moving_mean ?? [], [3], {
      what: 'mean',
      roundings: 4,
    });
  });

  it('on an empty batch changes nothing', () => {
    const layer = batchNorm();
    layer.build([null, 5, 3]);
    const before = weightsOf(layer);
    const mask = tf.zeros([0, 5], 'bool');
    for (const training of [true, false]) {
      const f = (a: tf.Tensor): tf.Tensor =>
        layer.apply(a, {training, mask}) as tf.Tensor;
      expect(tf.grad(f)(tf.zeros([0, 5, 3])).shape).toEqual([0, 5, 3]);
    }
    expect(weightsOf(layer)).toEqual(before);
  });

  it('that covers everything updates nothing, and y is finite', () => {
    const layer = batchNorm({movingAverage: 'cumulative'});
    layer.apply(randomTensor([2, 3, 1], 5), TRAINING);
    const before = weightsOf(layer);
    const nothing = tf.zeros([2, 3], 'bool');
    const y = layer.apply(tf.tensor3d(X), {...TRAINING, mask: nothing});
    expect(valuesOf(y as tf.Tensor).every(Number.isFinite)).toBe(true);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('gives beta exactly for a constant, as without a mask', () => {
    const mask = tf.greater(randomTensor([40, 50], 2), 0.5);
    const y = batchNorm().apply(tf.fill([40, 50, 1], 0.1), {...TRAINING, mask});
    const shown = tf.mul(
      y as tf.Tensor,
      tf.expandDims(tf.cast(mask, 'float32'), -1),
    );
    expect(new Set(valuesOf(shown).map(Math.abs))).toEqual(new Set([0]));
  });

  it.each([[[4, 5, 3]], [[5, 4]], [[4, 5, 3, 1]], [[3]], [[1, 2]], [[4, 3]]])(
    'F12: of shape %j does not fit [4, 5, 3], and is refused',
    (maskShape) => {
      const x = randomTensor([4, 5, 3], 6);
      const mask = tf.zeros(maskShape, 'bool');
      const layer = batchNorm({name: 'norm'});
      layer.build([4, 5, 3]);
      const before = weightsOf(layer);
      for (const training of [true, false]) {
        expect(() => layer.apply(x, {training, mask})).toThrow(
          'BatchNorm norm: a mask must have fewer axes than the input, as long ' +
            "as the input's first ones or of length 1; the input's shape is " +
            `[4, 5, 3]. Received: mask.shape=${JSON.stringify(maskShape)}`,
        );
      }
      expect(weightsOf(layer)).toEqual(before);
    },
  );

  // tf.where supports up to rank 4 on webgl and webgpu.
  it.each([
    [2, 3, 2, 3, 2],
    [2, 3, 2, 1, 3, 2],
  ])('covers x of any rank: %d, %d, %d, %d, …', (...shape) => {
    const mask = maskOf(MASK);
    const x = randomTensor(shape, 4);
    const flat = tf.reshape(x, [2, 3, 6, 2]);
    const [y, expected] = [x, flat].map((input) =>
      batchNorm().apply(input, {...TRAINING, mask}),
    ) as [tf.Tensor, tf.Tensor];
    expect(y.shape).toEqual(shape);
    // The same in another shape: sums in another order.
    expectCloseNow(y, expected, {what: 'y', roundings: 8, scale: 4});
  });

  it('reaches BatchNorm from a Masking layer, and the layers after it', () => {
    const layer = batchNorm({momentum: 0});
    const model = tf.sequential();
    model.add(tf.layers.masking({maskValue: 9, inputShape: [3, 1]}));
    model.add(layer);
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const padded = tf.tensor3d([
      [[1], [2], [9]],
      [[3], [9], [9]],
    ]);
    (model.apply(padded, TRAINING) as tf.Tensor).dispose();
    // A sum and a division.
    expectCloseNow(weightsOf(layer).moving_mean ?? [], [2], {
      what: 'mean',
      roundings: 4,
    });
    const mask = maskOf(MASK);
    expect(layer.computeMask(padded, mask)).toBe(mask);
  });
});

/** The values that a mask keeps, by feature. */
function keptValues(
  x: tf.Tensor,
  mask: tf.Tensor,
  feature: number,
): number[][] {
  const kept: number[][] = Array.from(
    {length: x.shape[feature] ?? 0},
    () => [],
  );
  const flags = valuesOf(mask);
  const perFlag = x.size / mask.size;
  const perFeature = x.shape.slice(feature + 1).reduce((a, b) => a * b, 1);
  valuesOf(x).forEach((value, i) => {
    if (!flags[Math.floor(i / perFlag)]) return;
    kept[Math.floor(i / perFeature) % (x.shape[feature] ?? 1)]?.push(value);
  });
  return kept;
}
