// Compares any rank from 1 to 6, any axes and any options with the oracle in
// float64, which does not use views, and in the second order with plain core
// ops.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {ops} from 'tfjs-normalization';
import {
  batchNorm,
  batchNormGrad,
  layerNorm,
  layerNormGrad,
} from '../oracle/by_axes.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {
  difference,
  magnitude,
  randomTensor,
  valuesOf,
} from '../support/tensors.js';

type Name = 'batchNorm' | 'layerNorm';

const ORACLE = {
  batchNorm: {forward: batchNorm, backward: batchNormGrad},
  layerNorm: {forward: layerNorm, backward: layerNormGrad},
};

interface Case {
  shape: number[];
  /** Some of them negative, in any order. */
  axis: number | number[];
  scale: boolean;
  center: boolean;
  epsilon: number;
  seed: number;
}

const anyCase: fc.Arbitrary<Case> = fc
  .array(fc.constantFrom(1, 2, 3, 4, 5), {minLength: 1, maxLength: 6})
  .chain((shape) => {
    const indices = shape.map((_, i) => i);
    const axes = fc
      .shuffledSubarray(indices, {minLength: 1})
      .chain((chosen) =>
        fc.tuple(...chosen.map((i) => fc.constantFrom(i, i - shape.length))),
      );
    return fc.record({
      shape: fc.constant(shape),
      axis: fc.oneof(
        axes,
        fc.integer({min: -shape.length, max: shape.length - 1}),
      ),
      scale: fc.boolean(),
      center: fc.boolean(),
      epsilon: fc.constantFrom(1e-3, 1e-6),
      seed: fc.nat(1000),
    });
  });

function dataOf({shape, axis, scale, center, seed}: Case): {
  x: tf.Tensor;
  dy: tf.Tensor;
  gamma?: tf.Tensor;
  beta?: tf.Tensor;
} {
  const axes = [axis].flat().map((a) => (a < 0 ? a + shape.length : a));
  const features = [...axes].sort((a, b) => a - b).map((a) => shape[a] ?? 1);
  return {
    x: randomTensor(shape, seed, 10, 2),
    dy: randomTensor(shape, seed + 1),
    gamma: scale ? randomTensor(features, seed + 2, 1, 0.3) : undefined,
    beta: center ? randomTensor(features, seed + 3) : undefined,
  };
}

/** Returns only y, for either op. */
function run(name: Name, x: tf.Tensor, options: object): tf.Tensor {
  return name === 'batchNorm'
    ? ops.batchNorm(x, options).y
    : ops.layerNorm(x, options);
}

/** Lists only the parameters that are given. */
function present(gamma?: tf.Tensor, beta?: tf.Tensor): tf.Tensor[] {
  return [gamma, beta].filter((tensor) => tensor !== undefined);
}

function named([first, second]: tf.Tensor[], {scale}: Case): object {
  return scale ? {gamma: first, beta: second} : {beta: first};
}

describe.each(['batchNorm', 'layerNorm'] as const)('ops.%s', (name) => {
  const oracle = ORACLE[name];

  it('agrees with the oracle, forward and backward', async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (options) => {
        const {shape, axis, epsilon} = options;
        const {x, dy, gamma, beta} = dataOf(options);
        const reference = {
          axis,
          epsilon,
          gamma: gamma && valuesOf(gamma),
          beta: beta && valuesOf(beta),
        };
        const expected = oracle.forward(valuesOf(x), shape, reference);
        const parameters = present(gamma, beta);
        const f = (input: tf.Tensor, ...rest: tf.Tensor[]): tf.Tensor =>
          run(name, input, {axis, epsilon, ...named(rest, options)});
        const y = f(x, ...parameters);
        // If a statistic's values nearly coincide, its spread is noise divided
        // by the root of epsilon: y's error may be as large.
        const spread = Math.min(...Array.from(expected.variance));
        const inverse = 1 / Math.sqrt(spread + epsilon);
        const scale = Math.max(1, inverse, magnitude(Array.from(expected.y)));
        await expectClose(y, expected.y, {
          what: 'y',
          roundings: 32,
          scale,
          shape,
        });

        const gradients = tf.grads(f)([x, ...parameters], dy);
        const flow = oracle.backward(
          {dy: valuesOf(dy)},
          valuesOf(x),
          shape,
          reference,
        );
        const size = magnitude(dy) * Math.max(1, gamma ? magnitude(gamma) : 1);
        await expectClose(gradients[0] as tf.Tensor, flow.dx, {
          what: 'dx',
          roundings: 64,
          scale: size * inverse * scale,
          shape,
        });
        const others = [gamma && flow.dgamma, beta && flow.dbeta].filter(
          (values) => values !== undefined,
        );
        for (const [i, values] of others.entries()) {
          await expectClose(gradients[i + 1] as tf.Tensor, values, {
            what: `the gradient of parameter ${i}`,
            roundings: 64,
            scale: size * scale * Math.sqrt(x.size / values.length),
            shape: parameters[i]?.shape,
          });
        }
      }),
      {numRuns: 80},
    );
  });

  it('has the second derivatives of plain core ops', () => {
    const plain = (
      x: tf.Tensor,
      options: Case,
      rest: tf.Tensor[],
    ): tf.Tensor => {
      const axes = [options.axis].flat().map((a) => (a < 0 ? a + x.rank : a));
      const indices = x.shape.map((_, i) => i);
      const isOver = (i: number): boolean =>
        axes.includes(i) === (name === 'layerNorm');
      // As a matrix with a statistic per row: TensorFlow broadcasts no tensor
      // of rank 6 whose every second axis has length 1.
      const order = [
        ...indices.filter((i) => !isOver(i)),
        ...indices.filter(isOver),
      ];
      const moved = tf.transpose(x, order);
      const columns = indices
        .filter(isOver)
        .reduce((product, i) => product * (x.shape[i] as number), 1);
      const matrix = tf.reshape(moved, [-1, columns]);
      const deviation = tf.sub(matrix, tf.mean(matrix, 1, true));
      const variance = tf.mean(tf.square(deviation), 1, true);
      const y = tf.mul(deviation, tf.rsqrt(tf.add(variance, options.epsilon)));
      const {gamma, beta} = named(rest, options) as {
        gamma?: tf.Tensor;
        beta?: tf.Tensor;
      };
      const shape = name === 'layerNorm' ? [1, columns] : [-1, 1];
      const scaled = gamma ? tf.mul(y, tf.reshape(gamma, shape)) : y;
      const shifted = beta ? tf.add(scaled, tf.reshape(beta, shape)) : scaled;
      return tf.transpose(
        tf.reshape(shifted, moved.shape),
        indices.map((i) => order.indexOf(i)),
      );
    };
    fc.assert(
      fc.property(anyCase, (given) => {
        // With a small epsilon a third derivative only amplifies errors.
        const options = {...given, epsilon: 0.1};
        const {x, dy, gamma, beta} = dataOf(options);
        const near = tf.sub(x, 10);
        const parameters = present(gamma, beta);
        const penalty =
          (f: (a: tf.Tensor, rest: tf.Tensor[]) => tf.Tensor) =>
          (a: tf.Tensor, ...rest: tf.Tensor[]): tf.Tensor => {
            const inner = tf.grad((b: tf.Tensor) => tf.mul(f(b, rest), dy));
            return tf.sum(tf.mul(tf.square(inner(a)), a));
          };
        const second = (
          f: (a: tf.Tensor, rest: tf.Tensor[]) => tf.Tensor,
        ): tf.Tensor[] =>
          // beta does not occur in a first gradient, so not in a second.
          tf.grads(penalty(f))(
            [near, ...parameters].slice(0, options.scale ? 2 : 1),
          );
        const {axis, epsilon} = options;
        const ours = second((a, rest) =>
          run(name, a, {
            axis,
            epsilon,
            ...named([...rest, ...parameters.slice(rest.length)], options),
          }),
        );
        const expected = second((a, rest) =>
          plain(a, options, [...rest, ...parameters.slice(rest.length)]),
        );
        ours.forEach((gradient, i) => {
          const other = expected[i] as tf.Tensor;
          // Of a dozen sums of as many roundings, amplified by 1 / epsilon; the core ops' own
          // error is as large.
          const scale = Math.max(10, magnitude(other));
          expectCloseNow(gradient, other, {
            what: 'a second gradient',
            roundings: 160,
            scale: scale,
          });
        });
      }),
      {numRuns: 40},
    );
  });
});

describe('ops.batchNorm', () => {
  it('passes gradients on through mean and variance', async () => {
    const shape = [4, 3, 2];
    const x = randomTensor(shape, 1, 2);
    const flows = [1, 2, 3].map((seed) => randomTensor([3], seed));
    const [dy, dmean, dvariance] = [
      randomTensor(shape, 9),
      flows[0] as tf.Tensor,
      flows[1] as tf.Tensor,
    ];
    const dx = tf.grad((a: tf.Tensor) => {
      const {y, mean, variance} = ops.batchNorm(a, {axis: 1});
      return tf.addN([
        tf.sum(tf.mul(y, dy)),
        tf.sum(tf.mul(mean, dmean)),
        tf.sum(tf.mul(variance, dvariance)),
      ]);
    })(x);
    const expected = batchNormGrad(
      {
        dy: valuesOf(dy),
        dmean: valuesOf(dmean),
        dvariance: valuesOf(dvariance),
      },
      valuesOf(x),
      shape,
      {axis: 1, epsilon: 1e-3},
    );
    await expectClose(dx, expected.dx, {what: 'dx', roundings: 64});
  });

  it('takes known statistics, and is differentiable in them', async () => {
    const shape = [4, 3, 2];
    const [x, dy] = [randomTensor(shape, 1, 2), randomTensor(shape, 9)];
    const [mean, variance] = [
      randomTensor([3], 2),
      tf.add(tf.square(randomTensor([3], 3)), 0.1),
    ];
    const options = {axis: 1, epsilon: 1e-3};
    const given = {mean: valuesOf(mean), variance: valuesOf(variance)};
    const {y, ...returned} = ops.batchNorm(x, {...options, mean, variance});
    const expected = batchNorm(valuesOf(x), shape, {...options, given});
    await expectClose(y, expected.y, {what: 'y', roundings: 16});
    expect(difference(returned.mean, mean)).toBe(0);
    expect(difference(returned.variance, variance)).toBe(0);
    const f = (a: tf.Tensor, m: tf.Tensor, v: tf.Tensor): tf.Tensor =>
      ops.batchNorm(a, {...options, mean: m, variance: v}).y;
    const plain = (a: tf.Tensor, m: tf.Tensor, v: tf.Tensor): tf.Tensor =>
      tf.mul(
        tf.sub(a, tf.reshape(m, [1, 3, 1])),
        tf.rsqrt(tf.add(tf.reshape(v, [1, 3, 1]), options.epsilon)),
      );
    const [ours, core] = [f, plain].map((g) =>
      tf.grads((...args) => g(...(args as [tf.Tensor, tf.Tensor, tf.Tensor])))(
        [x, mean, variance],
        dy,
      ),
    ) as [tf.Tensor[], tf.Tensor[]];
    ours.forEach((gradient, i) => {
      const other = core[i] as tf.Tensor;
      const scale = Math.max(1, magnitude(other));
      // Sums of a dozen products, in another order.
      expectCloseNow(gradient, other, {
        what: 'a gradient',
        roundings: 64,
        scale: scale,
      });
    });
  });

  it('takes a mask, which leaves positions out of the statistics', async () => {
    const shape = [4, 5, 3];
    const x = randomTensor(shape, 1, 3);
    const mask = tf.greater(randomTensor([4, 5], 2), 0);
    const {y, mean, variance} = ops.batchNorm(x, {mask});
    const expected = batchNorm(valuesOf(x), shape, {
      axis: -1,
      epsilon: 1e-3,
      mask: {values: valuesOf(mask), shape: [4, 5]},
    });
    await expectClose(y, expected.y, {what: 'y', roundings: 64});
    await expectClose(mean, expected.mean, {what: 'mean', roundings: 64});
    await expectClose(variance, expected.variance, {
      what: 'variance',
      roundings: 64,
    });
  });

  it.each<[string, () => object]>([
    ['mean and variance go together', () => ({mean: tf.zeros([3])})],
    [
      'mean and variance go together',
      () => ({mean: tf.zeros([3]), variance: tf.ones([2])}),
    ],
    ['mask must be a tensor of fewer axes', () => ({mask: tf.ones([4, 5, 3])})],
    ['mask must be a tensor of fewer axes', () => ({mask: [true]})],
  ])('refuses arguments that do not fit: %s', (message, make) => {
    expect(() => ops.batchNorm(randomTensor([4, 5, 3], 1), make())).toThrow(
      new RegExp(`^ops.batchNorm: ${message}.*Received: `),
    );
  });

  it('returns statistics in the shape of the feature axes', () => {
    const {mean, variance} = ops.batchNorm(randomTensor([4, 3, 2, 5], 1), {
      axis: [-1, 1],
    });
    expect([mean.shape, variance.shape]).toEqual([
      [3, 5],
      [3, 5],
    ]);
  });
});

describe.each(['batchNorm', 'layerNorm'] as const)('ops.%s', (name) => {
  it('takes arrays and integers', () => {
    const y = run(
      name,
      tf.tensor2d(
        [
          [1, 2],
          [3, 5],
        ],
        [2, 2],
        'int32',
      ),
      {},
    );
    expect(y.dtype).toBe('float32');
    const fromArray =
      name === 'batchNorm'
        ? ops.batchNorm([
            [1, 2],
            [3, 5],
          ]).y
        : ops.layerNorm([
            [1, 2],
            [3, 5],
          ]);
    expect(difference(fromArray, y)).toBe(0);
  });

  it.each([
    [{axis: 2}, `ops.${name}: axis 2 is out of range for an input of rank 2`],
    [{axis: [0, -2]}, `ops.${name}: duplicate axes for an input of rank 2`],
    [{axis: 'last'}, `ops.${name}: axis must be an integer`],
    [{epsilon: 0}, `ops.${name}: epsilon must be a number above 0`],
    [{epsilom: 1}, `ops.${name}: unknown option epsilom`],
  ])('refuses %j', (options, message) => {
    const x = tf.ones([2, 3]);
    expect(() => run(name, x, options)).toThrow(message);
    expect(() => run(name, x, options)).toThrow('Received: ');
  });
});
