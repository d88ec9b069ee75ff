// UnitNorm: Keras's numbers, very long and very short vectors, zeros, files, memory.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  inspect,
  UnitNorm,
  unitNorm,
  type UnitNormArgs,
} from 'tfjs-normalization';
import {readFixture} from '../fixtures/fixtures.js';
import {run} from '../fixtures/layer_run.js';
import {differences} from '../oracle/differences.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {reload} from '../support/memory_model.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {expectNoStock} from '../support/stock.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_unit_norm.py.
const keras = readFixture('keras_unit_norm');

/** In float64. */
function directionOf(x: readonly number[]): number[] {
  const length = Math.hypot(...x);
  return x.map((value) => value / length);
}

it.each(keras.cases)('Keras: $name', async ({shape, axis, x, dy, y, dx}) => {
  const found = run(
    unitNorm({axis}),
    tf.tensor(x, shape),
    tf.tensor(dy, shape),
  );
  // A sum of at most 12 squares, a root and two products; dx has two such sums.
  await expectClose(found.y, y, {what: 'y', roundings: 8, shape});
  await expectClose(found.dx, dx, {what: 'dx', roundings: 16, shape});
});

it('is right for every vector that float32 has, down to a length of 1e-11', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({min: -1, max: 1, noNaN: true}), {
        minLength: 1,
        maxLength: 9,
      }),
      fc.integer({min: -36, max: 124}),
      (values, power) => {
        const x = values.map((value) => Math.fround(value) * 2 ** power);
        fc.pre(Math.hypot(...x) > 1e-11);
        tf.tidy(() => {
          const y = unitNorm().apply(tf.tensor2d([x])) as tf.Tensor;
          expectCloseNow(y, directionOf(x), {what: 'y', roundings: 8});
        });
      },
    ),
  );
});

it('can be differentiated twice', () => {
  const x = randomTensor([2, 3], 2, 1);
  const dy = randomTensor([2, 3], 3);
  const norm = unitNorm();
  const g = tf.grad((a) =>
    tf.sum(tf.mul(tf.square(norm.apply(a) as tf.Tensor), dy)),
  );
  const penalty = tf.grad((a) => tf.sum(tf.square(g(a))))(x);

  const weights = valuesOf(dy);
  const loss = (at: readonly number[]): number =>
    [0, 3]
      .flatMap((start) => directionOf(at.slice(start, start + 3)))
      .reduce((sum, y, i) => sum + y * y * (weights[i] ?? NaN), 0);
  const expected = differences(valuesOf(x), (at) =>
    differences(at, loss).reduce((sum, d) => sum + d * d, 0),
  );
  expectCloseNow(penalty, expected, {
    what: 'the gradient of the squared gradient',
    // Differences of differences have about six digits; the rest of it is a few dozen
    // operations.
    roundings: 128,
  });
});

it('zeros stay zeros, with a gradient of zeros, twice', () => {
  const x = tf.tensor2d([
    [0, 0, 0],
    [3, 0, 4],
  ]);
  const norm = unitNorm();
  const f = (a: tf.Tensor): tf.Tensor =>
    tf.sum(tf.mul(norm.apply(a) as tf.Tensor, tf.tensor1d([1, 2, 3])));
  expectCloseNow(norm.apply(x) as tf.Tensor, [0, 0, 0, 0.6, 0, 0.8], {
    what: 'y',
    roundings: 4,
  });
  const first = tf.grad(f)(x);
  expect(valuesOf(first).slice(0, 3)).toEqual([0, 0, 0]);
  // dy less its part along y, over the length: y · dy is 3.
  expectCloseNow(first, [0, 0, 0, -0.16, 0.4, 0.12], {
    what: 'dx',
    roundings: 16,
    scale: 1,
  });
  const second = tf.grad((a) => tf.sum(tf.square(tf.grad(f)(a))))(x);
  expect(valuesOf(second).every(Number.isFinite)).toBe(true);
  expect(valuesOf(second).slice(0, 3)).toEqual([0, 0, 0]);
});

it('NaN spoils its own vector alone', () => {
  const y = unitNorm().apply(
    tf.tensor2d([
      [NaN, 1],
      [3, 4],
    ]),
  ) as tf.Tensor;
  const [a, b, ...others] = valuesOf(y);
  expect([a, b]).toEqual([NaN, NaN]);
  expectCloseNow(others, [0.6, 0.8], {what: 'y', roundings: 4});
});

it('gives an empty batch for one, and its gradient', () => {
  const empty = tf.zeros([0, 3]);
  const f = (x: tf.Tensor): tf.Tensor => unitNorm().apply(x) as tf.Tensor;
  expect(f(empty).shape).toEqual([0, 3]);
  expect(tf.grad(f)(empty).shape).toEqual([0, 3]);
});

it('passes a mask on', () => {
  const mask = tf.ones([2, 3], 'bool');
  expect(unitNorm().computeMask(tf.ones([2, 3, 4]), mask)).toBe(mask);
});

describe('refused', () => {
  it.each<[string, () => unknown, string]>([
    [
      'an axis that is none',
      () => unitNorm({name: 'unit', axis: 0.5}),
      'UnitNorm unit: axis must be an integer or an array of integers, not empty. ' +
        'Received: axis=0.5',
    ],
    [
      'an option of Keras’s constraint',
      () => unitNorm({name: 'unit', epsilon: 1} as UnitNormArgs),
      'UnitNorm unit: unknown option epsilon; its options are axis. Received: epsilon=1',
    ],
    [
      'an axis out of range',
      () => {
        unitNorm({name: 'unit', axis: 2}).build([null, 4]);
      },
      'UnitNorm unit: axis 2 is out of range for an input of rank 2. Received: axis=2',
    ],
    [
      'an axis given twice',
      () => {
        unitNorm({name: 'unit', axis: [1, -1]}).build([null, 4]);
      },
      'UnitNorm unit: duplicate axes for an input of rank 2. Received: axis=[1,-1]',
    ],
    [
      'the batch’s axis',
      () => {
        unitNorm({name: 'unit', axis: [-2, 1]}).build([null, 4]);
      },
      "UnitNorm unit: axis must not be the batch's. Received: axis=[-2,1]",
    ],
  ])('%s', (_, refuse, message) => {
    expect(refuse).toThrow(message);
  });

  it('an input of another rank, once it is built', () => {
    const norm = unitNorm();
    norm.build([null, null, 4]);
    expect(() => norm.apply(tf.ones([2, 4]))).toThrow('expected ndim=3');
    expect((norm.apply(tf.ones([2, 7, 5])) as tf.Tensor).shape).toEqual([
      2, 7, 5,
    ]);
  });
});

describe('in a model', () => {
  const make = (): tf.Sequential =>
    tf.sequential({
      layers: [
        tf.layers.dense({units: 3, inputShape: [4]}),
        unitNorm({name: 'unit', axis: [1]}),
      ],
    });

  it('has no weights, and is saved and loads with the same predictions', async () => {
    const model = make();
    expect(model.layers[1]?.weights).toEqual([]);
    const x = randomTensor([2, 4], 1);
    const loaded = await reload(model);
    expect(loaded.layers[1]).toBeInstanceOf(UnitNorm);
    expect(valuesOf(loaded.predict(x) as tf.Tensor)).toEqual(
      valuesOf(model.predict(x) as tf.Tensor),
    );
    expect(loaded.layers[1]?.getConfig()).toEqual(model.layers[1]?.getConfig());
    model.dispose();
    loaded.dispose();
  });

  it('lets what is before it learn, and leaves no tensor', async () => {
    trainsStockLayers();
    const model = make();
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const [x, y] = [randomTensor([6, 4], 1), randomTensor([6, 3], 2)];
    await model.fit(x, y, {epochs: 1, verbose: 0});
    const before = tf.memory().numTensors;
    const {history} = await model.fit(x, y, {epochs: 4, verbose: 0});
    expect(tf.memory().numTensors).toBe(before);
    expect(Number(history.loss?.[3])).toBeLessThan(Number(history.loss?.[0]));
    model.dispose();
  });

  it('has a row in inspect', async () => {
    const model = make();
    const [row] = await inspect(model);
    expect(row).toMatchObject({
      layer: 'unit',
      kind: 'UnitNormalization',
      axis: [1],
      weights: {},
      problems: [],
    });
    model.dispose();
  });

  it('has no counterpart in stock tf.js', async () => {
    const model = make();
    const words =
      'UnitNorm unit: stock tf.js has no such layer. ' +
      'Received: class_name="UnitNormalization"';
    await expectNoStock(model, words);
    model.dispose();
  });
});
