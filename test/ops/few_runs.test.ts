// Inputs of rank 6 in which every second axis is chosen: TensorFlow broadcasts no such tensor.
import * as tf from '@tensorflow/tfjs';
import {normalization, unitNorm} from 'tfjs-normalization';
import {expectClose} from '../support/close.js';
import {randomTensor} from '../support/tensors.js';

const SHAPE = [2, 3, 3, 2, 2, 4];
/** The order of axes in which the chosen ones are the last. */
const ORDER = [0, 2, 4, 1, 3, 5];
const BACK = ORDER.map((_, axis) => ORDER.indexOf(axis));

const statistics = {
  mean: [[[1, 2, 3, 4]], [[5, 6, 7, 8]], [[9, 8, 7, 6]]],
  variance: [
    [[1], [2]],
    [[3], [4]],
    [[5], [6]],
  ],
};

const LAYERS: ReadonlyArray<[string, (axis: number[]) => tf.layers.Layer]> = [
  ['UnitNorm', (axis) => unitNorm({axis})],
  ['Normalization', (axis) => normalization({axis, ...statistics})],
  [
    'Normalization, inverted',
    (axis) => normalization({axis, ...statistics, invert: true}),
  ],
];

describe.each(LAYERS)('%s over axes 1, 3 and 5 of six', (_, make) => {
  const [apart, last] = [make([1, 3, 5]), make([3, 4, 5])];
  const direct = (x: tf.Tensor): tf.Tensor => apart.apply(x) as tf.Tensor;
  const moved = (x: tf.Tensor): tf.Tensor =>
    tf.transpose(last.apply(tf.transpose(x, ORDER)) as tf.Tensor, BACK);

  // The same sums in another order.
  const roundings = 8;

  it('agrees with the layer over the last axes', async () => {
    const x = randomTensor(SHAPE, 1, 2);
    await expectClose(direct(x), moved(x), {what: 'y', roundings});
  });

  it('has the same gradients, to the second order', async () => {
    const [x, dy] = [randomTensor(SHAPE, 1, 2), randomTensor(SHAPE, 2)];
    const first = (f: typeof direct) => (a: tf.Tensor) =>
      tf.grad((b: tf.Tensor) => tf.mul(tf.square(f(b)), dy))(a);
    await expectClose(first(direct)(x), first(moved)(x), {
      what: 'dx',
      roundings,
    });
    const second = (f: typeof direct): tf.Tensor =>
      tf.grad((a: tf.Tensor) => tf.square(first(f)(a)))(x);
    await expectClose(second(direct), second(moved), {
      what: 'the second gradient',
      roundings: 4 * roundings,
    });
  });

  it('takes an input without values', () => {
    const empty = tf.zeros([2, 3, 0, 2, 2, 4]);
    expect(direct(empty).shape).toEqual(empty.shape);
  });
});
