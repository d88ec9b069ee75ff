// BatchNorm with virtual batches: each normalized by itself, averages moved once.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {batchNorm, type BatchNormArgs} from 'tfjs-normalization';
import {run, weightOf} from '../fixtures/layer_run.js';
import * as oracle from '../oracle/by_axes.js';
import {expectClose} from '../support/close.js';
import {
  difference,
  kernelsOf,
  magnitude,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';

const epsilon = 1e-3;

/** A statistic of up to 500 values, whose terms may cancel, and the affine step. */
const ROUNDINGS = {y: 8, dx: 16, sums: 16, moved: 12};

const anyCase = fc
  .tuple(
    fc.integer({min: 1, max: 9}),
    fc.array(fc.constantFrom(1, 2, 3, 4), {minLength: 1, maxLength: 5}),
  )
  .chain(([examples, rest]) =>
    fc.record({
      shape: fc.constant<number[]>([examples, ...rest]),
      axis: fc.subarray(
        rest.map((_, i) => i + 1),
        {minLength: 1},
      ),
      size: fc.integer({min: 1, max: 10}),
      scale: fc.boolean(),
      center: fc.boolean(),
      unbiased: fc.boolean(),
      seed: fc.nat(1000),
    }),
  );

/** A layer with random parameters. */
function layerOf(
  options: BatchNormArgs,
  shape: number[],
  seed: number,
): tf.layers.Layer {
  const layer = batchNorm({...options, epsilon});
  layer.build(shape);
  layer.setWeights(
    layer.getWeights().map((weight, i) => {
      const isVariance = i === layer.weights.length - 1;
      const values = randomTensor(weight.shape, seed + i + 5, 1, 0.5);
      return isVariance ? tf.abs(values) : values;
    }),
  );
  return layer;
}

it('BatchNorm of virtual batches is as many batches, each with its own statistics', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (given) => {
      const {shape, axis, size, scale, center, unbiased, seed} = given;
      const options = {axis, scale, center, momentum: 0};
      const layer = layerOf(
        {...options, virtualBatchSize: size, unbiasedMovingVariance: unbiased},
        shape,
        seed,
      );
      const before = weightsOf(layer);
      const x = randomTensor(shape, seed, 3, 2);
      const dy = randomTensor(shape, seed + 1);
      const found = run(layer, x, dy, {training: true});

      const examples = shape[0] ?? 0;
      const each = x.size / examples;
      const starts = Array.from(
        {length: Math.ceil(examples / size)},
        (_, i) => i * size,
      );
      const parts = starts.map((start) => {
        const count = Math.min(size, examples - start);
        const cut = (t: tf.Tensor): number[] =>
          valuesOf(t).slice(start * each, (start + count) * each);
        const part = [count, ...shape.slice(1)];
        const parameters = {
          axis,
          epsilon,
          gamma: scale ? before.gamma : undefined,
          beta: center ? before.beta : undefined,
        };
        const values = cut(x);
        return {
          ...oracle.batchNorm(values, part, parameters),
          ...oracle.batchNormGrad({dy: cut(dy)}, values, part, parameters),
          examples: count,
        };
      });
      type Part = (typeof parts)[number];
      const all = (of: (part: Part) => Float64Array): number[] =>
        parts.flatMap((part) => Array.from(of(part)));
      const features = parts[0]?.mean.length ?? 0;
      const sums = (of: (part: Part) => Float64Array): number[] =>
        Array.from({length: features}, (_, c) =>
          parts.reduce((sum, part) => sum + (of(part)[c] ?? NaN), 0),
        );
      const steepest = Math.max(
        ...all(({variance}) => variance.map((v) => 1 / Math.sqrt(v + epsilon))),
      );
      const sizes = {dy: magnitude(dy), gamma: magnitude(before.gamma ?? [1])};

      const y = all((part) => part.y);
      await expectClose(found.y, y, {
        what: 'y',
        roundings: ROUNDINGS.y,
        // What the mean is rounded by is divided by the deviation.
        scale: Math.max(
          magnitude(y),
          2 * sizes.gamma,
          sizes.gamma * steepest * magnitude(all(({mean}) => mean)),
        ),
        shape,
      });
      await expectClose(
        found.dx,
        all((part) => part.dx),
        {
          what: 'dx',
          roundings: ROUNDINGS.dx,
          scale: 2 * sizes.dy * sizes.gamma * steepest,
        },
      );
      const terms = (sizes.dy * x.size) / features;
      for (const [what, actual] of [
        ['dgamma', found.dgamma],
        ['dbeta', found.dbeta],
      ] as const) {
        if (actual === undefined) continue;
        const expected = sums((part) => part[what]);
        const close = {what, roundings: ROUNDINGS.sums, scale: 2 * terms};
        await expectClose(actual, expected, close);
      }

      // With a momentum of 0 the averages are the step's.
      const weighted = (
        of: (part: Part, c: number) => number,
        of1: readonly Part[],
      ): number[] => {
        const total = of1.reduce((sum, part) => sum + part.examples, 0);
        return Array.from(
          {length: features},
          (_, c) =>
            of1.reduce((sum, part) => sum + of(part, c) * part.examples, 0) /
            total,
        );
      };
      const mean = weighted((part, c) => part.mean[c] ?? NaN, parts);
      await expectClose(weightOf(layer, 'moving_mean'), mean, {
        what: 'moving_mean',
        roundings: ROUNDINGS.moved,
        scale: magnitude(x),
      });
      const several = parts.filter(({count}) => (count[0] ?? 0) > 1);
      const variance =
        several.length === 0
          ? (before.moving_variance ?? [])
          : weighted((part, c) => {
              const n = part.count[c] ?? NaN;
              return ((part.variance[c] ?? NaN) * n) / (unbiased ? n - 1 : n);
            }, several);
      await expectClose(weightOf(layer, 'moving_variance'), variance, {
        what: 'moving_variance',
        roundings: 2 * ROUNDINGS.moved,
        scale: Math.max(magnitude(variance), 1),
      });
    }),
  );
});

it.each([4, 5, 100])(
  'is BatchNorm with as many examples as there are, or more: %d',
  (size) => {
    const shape = [4, 3, 2];
    const numbersOf = (options: BatchNormArgs): Record<string, number[]> => {
      const given = {...options, unbiasedMovingVariance: true};
      const layer = layerOf(given, shape, 3);
      const x = randomTensor(shape, 1, 3, 2);
      const {y, dx, dgamma, dbeta} = run(layer, x, randomTensor(shape, 2), {
        training: true,
      });
      const gradients = [dx, dgamma, dbeta].flatMap((each) =>
        each === undefined ? [] : valuesOf(each),
      );
      return {y: valuesOf(y), gradients, ...weightsOf(layer)};
    };
    expect(numbersOf({virtualBatchSize: size})).toEqual(numbersOf({}));
  },
);

describe('BatchNorm: the batch is whole', () => {
  const outputs = (options: BatchNormArgs, training: boolean): number[][] =>
    [{}, {virtualBatchSize: 2}].map((more) => {
      const layer = layerOf({...options, ...more}, [6, 3], 1);
      const x = randomTensor([6, 3], 1, 2, 3);
      return valuesOf(layer.apply(x, {training}) as tf.Tensor);
    });

  it.each<[string, BatchNormArgs, boolean]>([
    ['in prediction', {}, false],
    ['in prediction with batch statistics', {statistics: 'batch'}, false],
    ['with moving statistics', {statistics: 'moving'}, true],
    ['in a frozen layer', {trainable: false}, true],
  ])('%s', (_, options, training) => {
    const [plain, virtual] = outputs(options, training);
    expect(virtual).toEqual(plain);
  });

  it('but not in training', () => {
    const [plain, virtual] = outputs({}, true);
    expect(difference(virtual ?? [], plain ?? [])).toBeGreaterThan(0.1);
  });
});

describe('BatchNorm: virtual batches', () => {
  it('count as one step of every kind of average', async () => {
    const x = randomTensor([6, 2], 1, 3, 2);
    const layer = batchNorm({movingAverage: 'cumulative', virtualBatchSize: 4});
    for (let i = 0; i < 2; i++) layer.apply(x, {training: true});
    expect(weightsOf(layer).num_batches).toEqual([2]);
    const {mean} = oracle.batchNorm(valuesOf(x), [6, 2], {axis: 1, epsilon});
    await expectClose(weightOf(layer, 'moving_mean'), mean, {
      what: 'moving_mean',
      roundings: ROUNDINGS.moved,
    });
  });

  it('leave a channel alone in which one is not finite', () => {
    const layer = batchNorm({virtualBatchSize: 2, momentum: 0});
    const x = tf.tensor2d([1, 1, 3, NaN, 5, 5, 7, 8], [4, 2]);
    layer.apply(x, {training: true});
    expect(weightsOf(layer)).toMatchObject({
      moving_mean: [4, 0],
      moving_variance: [1, 1],
    });
  });

  it('warn once if each is of one value, and keep the variance', () => {
    const layer = batchNorm({virtualBatchSize: 1, momentum: 0});
    for (let i = 0; i < 2; i++) {
      layer.apply(tf.tensor2d([[1], [3]]), {training: true});
    }
    expect(weightsOf(layer)).toMatchObject({
      moving_mean: [2],
      moving_variance: [1],
    });
    expect(warnings()).toHaveLength(1);
  });

  it('take an empty batch', () => {
    const layer = batchNorm({virtualBatchSize: 2});
    layer.build([null, 3]);
    const before = weightsOf(layer);
    const y = layer.apply(tf.zeros([0, 3]), {training: true}) as tf.Tensor;
    expect(y.shape).toEqual([0, 3]);
    expect(weightsOf(layer)).toEqual(before);
  });

  it.each([
    [0, [8, 3]],
    [
      [0, 1],
      [8, 3],
    ],
    [-2, [8, 3]],
  ])('are refused with axis %j', (axis, shape) => {
    const layer = batchNorm({name: 'bn', axis, virtualBatchSize: 2});
    expect(() => layer.build(shape)).toThrow(
      'BatchNorm bn: virtualBatchSize cannot be used with axis 0. Received: ' +
        'virtualBatchSize=2',
    );
  });

  it('are refused with a mask in training, which changes nothing in prediction', () => {
    const layer = batchNorm({name: 'bn', virtualBatchSize: 2});
    const x = randomTensor([4, 3, 2], 1);
    const mask = tf.ones([4, 3], 'bool');
    layer.build(x.shape);
    const before = weightsOf(layer);
    expect(() => layer.apply(x, {training: true, mask})).toThrow(
      'BatchNorm bn: virtualBatchSize cannot be used with a mask. Received: ' +
        'virtualBatchSize=2',
    );
    expect(weightsOf(layer)).toEqual(before);
    const y = layer.apply(x, {mask}) as tf.Tensor;
    expect(difference(y, layer.apply(x) as tf.Tensor)).toBe(0);
  });

  it.each([
    ['which divide the batch', 4, 1],
    ['with a rest', 5, 2],
  ])('%s take as many fused kernels as views', async (_, size, views) => {
    const layer = batchNorm({virtualBatchSize: size});
    const x = randomTensor([8, 5, 3], 1);
    layer.build(x.shape);
    const step = (): tf.Tensor =>
      tf.grad((a) => layer.apply(a, {training: true}) as tf.Tensor)(x, x);
    const kernels = await kernelsOf(step);
    const counts = ['Normalize', 'NormalizeGrad', 'MovingStatistics'].map(
      (name) =>
        kernels.filter((kernel) => kernel === `TfjsNormalization/${name}`)
          .length,
    );
    expect(counts).toEqual([views, views, 1]);
  });
});
