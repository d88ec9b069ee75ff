// The numbers of BatchNorm under a mask, in every mode.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, patchStockLayers} from 'tfjs-normalization';
import {batchNorm as oracle, batchNormGrad} from '../oracle/by_axes.js';
import {gradientsOf, run} from '../fixtures/layer_run.js';
import {expectCloseNow} from '../support/close.js';
import {
  OPTIONS,
  ROUNDINGS,
  TRAINING,
  maskOf,
  LENGTH,
  MASK,
  SHAPE,
} from '../support/masked_graphs.js';
import {
  difference,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';

const MODES = [
  ['auto', true],
  ['auto', false],
  ['batch', true],
  ['batch', false],
  ['moving', true],
  ['moving', false],
] as const;

describe('F1: BatchNorm under a mask', () => {
  const given = {mean: [0.5, -1, 2, 0], variance: [1, 2, 0.5, 4]};

  /** Builds a layer with these moving statistics. */
  const built = (options = {}): ReturnType<typeof batchNorm> => {
    const layer = batchNorm({momentum: 0.5, ...options});
    layer.build([null, LENGTH, LENGTH]);
    layer.setWeights([
      tf.tensor1d([1, 2, -1, 0.5]),
      tf.tensor1d([0, 1, 0, -1]),
      tf.tensor1d(given.mean),
      tf.tensor1d(given.variance),
    ]);
    return layer;
  };

  describe.each([
    ['numbers', 0],
    ['NaN', NaN],
    ['Infinity', -Infinity],
  ])('of %s', (name, blot) => {
    it.each(MODES)(
      "statistics '%s', training %s: y, gradients and averages are the oracle's",
      (statistics, training) => {
        const layer = built({statistics});
        const values = valuesOf(randomTensor(SHAPE, 5)).map((value, i) => {
          const isKept = name === 'numbers' || MASK[Math.floor(i / LENGTH)];
          return isKept ? value : blot;
        });
        const dy = randomTensor(SHAPE, 6);
        const found = run(layer, tf.tensor(values, SHAPE), dy, {
          training,
          mask: maskOf(),
        });
        const isBatch =
          statistics === 'batch' || (statistics === 'auto' && training);
        const options = {
          ...OPTIONS,
          gamma: [1, 2, -1, 0.5],
          beta: [0, 1, 0, -1],
          mask: {values: MASK, shape: [LENGTH, LENGTH]},
          given: isBatch ? undefined : given,
        };
        const {y, mean} = oracle(values, SHAPE, options);
        const gradients = batchNormGrad(
          {dy: valuesOf(dy)},
          values,
          SHAPE,
          options,
        );
        expectCloseNow(found.y, [...y], {what: 'y', roundings: ROUNDINGS});
        expectCloseNow(found.dx, [...gradients.dx], {
          what: 'dx',
          roundings: ROUNDINGS,
        });
        expectCloseNow(found.dgamma as tf.Tensor, [...gradients.dgamma], {
          what: 'dgamma',
          roundings: ROUNDINGS,
        });
        expectCloseNow(found.dbeta as tf.Tensor, [...gradients.dbeta], {
          what: 'dbeta',
          roundings: ROUNDINGS,
        });
        const moves = training && statistics !== 'moving';
        const expected = given.mean.map((old, i) =>
          moves ? (old + (mean[i] ?? NaN)) / 2 : old,
        );
        expectCloseNow(weightsOf(layer).moving_mean ?? [], expected, {
          what: 'mean',
          roundings: ROUNDINGS,
        });
      },
    );
  });

  it.each([{}, {movingAverage: 'debiased'}] as const)(
    'a frozen layer predicts: %j',
    (options) => {
      const layer = built(options);
      layer.trainable = false;
      const before = weightsOf(layer);
      const x = randomTensor(SHAPE, 7);
      const y = layer.apply(x, {...TRAINING, mask: maskOf()}) as tf.Tensor;
      expect(difference(y, layer.apply(x) as tf.Tensor)).toBe(0);
      expect(weightsOf(layer)).toEqual(before);
    },
  );

  it.each(['exponential', 'debiased', 'cumulative'] as const)(
    'the average %s is over unmasked values',
    (movingAverage) => {
      const [layer, packed] = [
        batchNorm({movingAverage}),
        batchNorm({movingAverage}),
      ];
      for (let step = 0; step < 3; step++) {
        const x = randomTensor(SHAPE, step + 1, step, 2);
        layer.apply(x, {...TRAINING, mask: maskOf()});
        const rows = tf.reshape(x, [LENGTH ** 2, LENGTH]);
        const kept = MASK.flatMap((flag, i) => (flag ? [i] : []));
        packed.apply(tf.gather(rows, tf.tensor1d(kept, 'int32')), TRAINING);
        const nothing = MASK.map(() => false);
        layer.apply(x, {...TRAINING, mask: maskOf(nothing)});
      }
      const expected = weightsOf(packed);
      for (const [name, values] of Object.entries(weightsOf(layer))) {
        // A debiased step is divided by 1 − 0.99ᵗ, of which up to a hundredth is left.
        expectCloseNow(values, expected[name] ?? [], {
          what: name,
          roundings: movingAverage === 'debiased' ? 100 : ROUNDINGS,
        });
      }
    },
  );

  it('if everything is masked, y and gradients are finite, even for NaN', () => {
    for (const fill of [NaN, 3]) {
      const layer = built();
      const before = weightsOf(layer);
      const mask = maskOf(MASK.map(() => false));
      const found = run(layer, tf.fill(SHAPE, fill), tf.ones(SHAPE), {
        ...TRAINING,
        mask,
      });
      for (const values of [found.y, found.dx, found.dgamma, found.dbeta]) {
        expect(valuesOf(values as tf.Tensor).every(Number.isFinite)).toBe(true);
      }
      expect(weightsOf(layer)).toEqual(before);
    }
  });

  it('second-order gradients agree with differences', () => {
    const layer = built();
    const mask = maskOf();
    const dy = randomTensor(SHAPE, 8);
    const first = (x: tf.Tensor): tf.Tensor =>
      tf.grad((a: tf.Tensor) =>
        tf.sum(
          tf.mul(
            tf.square(layer.apply(a, {...TRAINING, mask}) as tf.Tensor),
            dy,
          ),
        ),
      )(x);
    const [x, direction] = [randomTensor(SHAPE, 9), randomTensor(SHAPE, 10)];
    const second = tf.grad((a: tf.Tensor) =>
      tf.sum(tf.mul(first(a), direction)),
    )(x);
    const h = 1e-2;
    // first is off by a dozen roundings, and two of them by 24 / (2 h); a derivative two
    // orders higher, here up to six times as large, is left out times h² / 6.
    const at = (t: number): tf.Tensor =>
      first(tf.add(x, tf.mul(direction, t * h)));
    const expected = tf.div(tf.sub(at(1), at(-1)), 2 * h);
    const scale = Math.max(...valuesOf(expected).map(Math.abs));
    expectCloseNow(second, expected, {
      what: 'the second gradient',
      roundings: 24 / (2 * h) + h ** 2 * 2 ** 24,
      scale,
    });
  });

  it('a mask of ones has no effect, to the rounding', () => {
    const [x, dy] = [randomTensor(SHAPE, 11), randomTensor(SHAPE, 12)];
    const mask = tf.ones([LENGTH], 'bool');
    const [a, b] = [built(), built()];
    const found = run(a, x, dy, {...TRAINING, mask});
    const expected = run(b, x, dy, TRAINING);
    for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
      expectCloseNow(found[key] as tf.Tensor, expected[key] as tf.Tensor, {
        what: key,
        roundings: ROUNDINGS,
      });
    }
  });

  it('in prediction it has no effect, bit for bit', () => {
    const x = randomTensor(SHAPE, 13);
    const unpatch = patchStockLayers();
    try {
      for (const layer of [built(), tf.layers.batchNormalization()]) {
        const y = layer.apply(x, {mask: maskOf()}) as tf.Tensor;
        expect(difference(y, layer.apply(x) as tf.Tensor)).toBe(0);
        const gradients = gradientsOf(layer, x, (a) =>
          tf.sum(tf.square(layer.apply(a, {mask: maskOf()}) as tf.Tensor)),
        );
        const expected = gradientsOf(layer, x, (a) =>
          tf.sum(tf.square(layer.apply(a) as tf.Tensor)),
        );
        expectCloseNow(gradients.dx, expected.dx, {
          what: 'dx',
          roundings: ROUNDINGS,
        });
      }
    } finally {
      unpatch();
    }
  });
});
