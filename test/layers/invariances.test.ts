// Invariances of normalization, from the papers.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {batchNorm, layerNorm, ops} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {difference, randomTensor, weightsOf} from '../support/tensors.js';

const EPSILON = 1e-8;

const NORMS = {
  batch: (x: tf.Tensor): tf.Tensor => ops.batchNorm(x, {epsilon: EPSILON}).y,
  layer: (x: tf.Tensor): tf.Tensor => ops.layerNorm(x, {epsilon: EPSILON}),
};

/** The summed inputs of a layer, `x W`: 8 examples of 5, 6 units. */
interface Inputs {
  x: tf.Tensor;
  w: tf.Tensor;
}

const TRANSFORMS: Record<string, (inputs: Inputs, amount: number) => Inputs> = {
  'weight matrix re-scaling': ({x, w}, d) => ({x, w: tf.mul(w, d)}),
  // Shifts every unit's weights by the same vector.
  'weight matrix re-centering': ({x, w}, d) => ({
    x,
    w: tf.add(w, tf.mul(randomTensor([5, 1], 77), d)),
  }),
  'weight vector re-scaling': ({x, w}, d) => ({
    x,
    w: tf.mul(w, tf.tensor2d([[d, 1, 1, 1, 1, 1]])),
  }),
  'dataset re-scaling': ({x, w}, d) => ({x: tf.mul(x, d), w}),
  'dataset re-centering': ({x, w}, d) => ({
    x: tf.add(x, tf.mul(randomTensor([1, 5], 78), d)),
    w,
  }),
  'single training case re-scaling': ({x, w}, d) => ({
    x: tf.mul(x, tf.tensor2d([d, 1, 1, 1, 1, 1, 1, 1], [8, 1])),
    w,
  }),
};

// Ba, Kiros and Hinton, 2016, table 1, the rows "Batch norm" and "Layer norm".
const TABLE: Array<[string, boolean, boolean]> = [
  ['weight matrix re-scaling', true, true],
  ['weight matrix re-centering', false, true],
  ['weight vector re-scaling', true, false],
  ['dataset re-scaling', true, true],
  ['dataset re-centering', true, false],
  ['single training case re-scaling', false, true],
];

const ROWS = TABLE.flatMap(([transform, batch, layer]) => [
  {transform, norm: 'batch' as const, invariant: batch},
  {transform, norm: 'layer' as const, invariant: layer},
]);

describe('table 1 of the layer normalization paper', () => {
  it.each(ROWS)(
    '$norm norm is invariant under $transform: $invariant',
    ({transform, norm, invariant}) => {
      fc.assert(
        fc.property(
          fc.nat(500),
          fc.double({min: 2, max: 9, noNaN: true}),
          (seed, by) => {
            const inputs = {
              x: randomTensor([8, 5], seed),
              w: randomTensor([5, 6], seed + 1),
            };
            const of = ({x, w}: Inputs): tf.Tensor =>
              NORMS[norm](tf.matMul(x, w));
            const changed = TRANSFORMS[transform]?.(inputs, by) ?? inputs;
            const [y, expected] = [of(changed), of(inputs)];
            if (!invariant) {
              expect(difference(y, expected)).toBeGreaterThan(1e-3);
              return;
            }
            // The product of 5 terms is rounded anew, around a deviation that may
            // be a few times smaller than they are.
            expectCloseNow(y, expected, {what: 'y', roundings: 16, scale: 100});
          },
        ),
        {numRuns: 20},
      );
    },
  );

  it('layer norm of a negative multiple changes its sign', () => {
    const x = randomTensor([4, 6], 3);
    const y = NORMS.layer(tf.mul(x, -3));
    // x · 3 is rounded, and all that follows from it.
    expectCloseNow(y, tf.neg(NORMS.layer(x)), {
      what: 'y',
      roundings: 16,
      scale: 2,
    });
  });
});

// Ioffe and Szegedy, 2015, sections 3.1 and 3.3.
describe('the identities of the batch normalization paper', () => {
  let u: tf.Tensor;
  let w: tf.Tensor;
  let dy: tf.Tensor;

  beforeAll(() => {
    u = randomTensor([10, 5], 1);
    w = randomTensor([5, 4], 2);
    dy = randomTensor([10, 4], 3);
  });

  const f = (input: tf.Tensor, weights: tf.Tensor): tf.Tensor =>
    NORMS.batch(tf.matMul(input, weights));
  const grads = tf.grads(f);

  it.each([0.25, 3, 100])(
    'BN((aW)u) = BN(Wu), and so are the gradients in u: a = %d',
    (a) => {
      const scaled = tf.mul(w, a);
      // Products of 5 terms, rounded anew, around a deviation that may be smaller than they.
      expectCloseNow(f(u, scaled), f(u, w), {
        what: 'y',
        roundings: 32,
        scale: 3,
      });
      const [du] = grads([u, w], dy);
      const [duScaled] = grads([u, scaled], dy);
      // These products again, times dy, in sums of ten.
      expectCloseNow(duScaled as tf.Tensor, du as tf.Tensor, {
        what: 'du',
        roundings: 64,
      });
    },
  );

  it.each([0.25, 3, 100])(
    'the gradient in aW is 1/a of that in W: a = %d',
    (a) => {
      const [, dw] = grads([u, w], dy);
      const [, dwScaled] = grads([u, tf.mul(w, a)], dy);
      const back = tf.mul(dwScaled as tf.Tensor, a);
      // As above.
      expectCloseNow(back, dw as tf.Tensor, {what: 'dw', roundings: 64});
    },
  );

  it('a bias before it has no effect, and gets no gradient', () => {
    const g = (b: tf.Tensor): tf.Tensor => NORMS.batch(tf.add(u, b));
    const bias = tf.tensor1d([1, -2, 3, -4, 5]);
    // The sums of u and a bias, of up to 8, are rounded, and their mean.
    expectCloseNow(g(bias), NORMS.batch(u), {
      what: 'y',
      roundings: 8,
      scale: 8,
    });
    const gradient = tf.grad(g)(bias, randomTensor([10, 5], 4));
    // Ten rows of dx, each of up to 3, that add up to nothing.
    expectCloseNow(gradient, tf.zeros([5]), {
      what: 'gradient',
      roundings: 16,
      scale: 3,
    });
  });

  it('in prediction it is one affine map', () => {
    const layer = batchNorm({momentum: 0.5});
    for (const seed of [5, 6, 7]) {
      layer.apply(randomTensor([10, 5], seed, 2, 3), {training: true});
    }
    const values = weightsOf(layer);
    const x = randomTensor([3, 5], 8);
    const mean = tf.tensor1d(values.moving_mean ?? []);
    const deviation = tf.sqrt(tf.add(values.moving_variance ?? [], 1e-3));
    const y = layer.apply(x) as tf.Tensor;
    const slope = tf.div(1, deviation);
    const affine = tf.sub(tf.mul(x, slope), tf.mul(mean, slope));
    // Two products and a difference, in another order.
    expectCloseNow(y, affine, {what: 'y', roundings: 8, scale: 4});
  });

  it('in training, each feature has mean beta and deviation gamma', () => {
    const layer = batchNorm({epsilon: EPSILON});
    const x = randomTensor([50, 3], 9, 7, 4);
    layer.build([null, 3]);
    const [, , ...moving] = layer.getWeights();
    layer.setWeights([
      tf.tensor1d([1, 2, 3]),
      tf.tensor1d([-1, 0, 5]),
      ...moving,
    ]);
    const y = layer.apply(x, {training: true}) as tf.Tensor;
    const {mean, variance} = tf.moments(y, 0);
    // y itself is rounded, and the mean of it.
    expectCloseNow(mean, [-1, 0, 5], {what: 'mean', roundings: 8});
    // As above, and squares.
    expectCloseNow(tf.sqrt(variance), [1, 2, 3], {
      what: 'deviation',
      roundings: 16,
    });
  });
});

describe('LayerNorm', () => {
  it('is the same in training and prediction, and for any other examples in the batch', () => {
    const layer = layerNorm();
    const x = randomTensor([6, 4, 5], 1);
    const y = layer.apply(x) as tf.Tensor;
    const trained = layer.apply(x, {training: true}) as tf.Tensor;
    expect(difference(trained, y)).toBe(0);
    const alone = layer.apply(tf.slice(x, [2, 0, 0], [1, 4, 5])) as tf.Tensor;
    expect(difference(alone, tf.slice(y, [2, 0, 0], [1, 4, 5]))).toBe(0);
  });

  it('over all but the batch is batch norm of the transposed, by example', () => {
    const x = randomTensor([6, 4], 2);
    const rows = ops.layerNorm(x);
    const columns = ops.batchNorm(tf.transpose(x)).y;
    // A mean, a variance, a root and a product, in another order.
    expectCloseNow(rows, tf.transpose(columns), {
      what: 'y',
      roundings: 8,
      scale: 2,
    });
  });
});
