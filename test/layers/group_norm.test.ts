// GroupNorm, InstanceNorm and RMSNorm: Keras's numbers, and what is refused.
import * as tf from '@tensorflow/tfjs';
import {
  groupNorm,
  type GroupNormArgs,
  instanceNorm,
  ops,
  rmsNorm,
  type RMSNormArgs,
} from 'tfjs-normalization';
import {readFixture} from '../fixtures/fixtures.js';
import {built, expectOutcome, run} from '../fixtures/layer_run.js';
import {expectClose} from '../support/close.js';
import {kernelsOf, randomTensor, valuesOf} from '../support/tensors.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_family.py.
const keras = readFixture('keras_family');

/*
 * Roundings of the largest value, as in keras_fixtures.test.ts: a statistic here is of at
 * most 72 values.
 */
const ROUNDINGS = {y: 8, dx: 16, dgamma: 16, dbeta: 16};

const inputShape = [3, 4];

const FAMILY: ReadonlyArray<[string, () => tf.layers.Layer]> = [
  ['GroupNorm', () => groupNorm({groups: 2, inputShape})],
  ['InstanceNorm', () => instanceNorm({inputShape})],
  ['RMSNorm', () => rmsNorm({inputShape})],
];

describe.each(
  keras.groupNorm.flatMap((given) =>
    given.variants.map((variant) => ({...given, ...variant})),
  ),
)('Keras, group norm of $name, scale $scale, center $center', (given) => {
  const {shape, options, weights, x, dy, scale, center, result} = given;
  const compute = (layer: tf.layers.Layer): Promise<void> =>
    expectOutcome(
      run(
        built(layer, shape, weights),
        tf.tensor(x, shape),
        tf.tensor(dy, shape),
      ),
      result,
      ROUNDINGS,
    );

  it('agrees', () => compute(groupNorm({...options, scale, center})));

  const {groups, ...others} = options;
  if (groups === -1) {
    it('agrees with InstanceNorm', () =>
      compute(instanceNorm({...others, scale, center})));
  }
});

describe.each(keras.rmsNorm)('Keras, RMS norm of $name', (given) => {
  it('agrees', async () => {
    const {shape, options, weights, x, dy} = given;
    const layer = built(rmsNorm(options), shape, weights);
    const found = run(layer, tf.tensor(x, shape), tf.tensor(dy, shape));
    await expectOutcome(found, given, ROUNDINGS);
  });
});

describe('RMSNorm over axes that are not the last', () => {
  it.each([[[1]], [[3, 1]], [[0, 2]]])('axes %j', async (axis) => {
    const shape = [2, 3, 4, 5];
    const x = randomTensor(shape, 4, 0.5);
    const layer = rmsNorm({axis});
    layer.build(shape);
    const y = layer.apply(x) as tf.Tensor;
    const values = valuesOf(x);
    const mean = new Map<string, number[]>();
    const placeOf = (i: number): string => {
      const places = shape.map((length, d) => {
        const stride = shape.slice(d + 1).reduce((a, b) => a * b, 1);
        return axis.includes(d) ? 0 : Math.floor(i / stride) % length;
      });
      return places.join();
    };
    values.forEach((value, i) => {
      mean.set(placeOf(i), [...(mean.get(placeOf(i)) ?? []), value * value]);
    });
    const expected = values.map((value, i) => {
      const squares = mean.get(placeOf(i)) ?? [];
      const total = squares.reduce((a, b) => a + b, 0);
      return value / Math.sqrt(total / squares.length + 1e-6);
    });
    await expectClose(y, expected, {what: 'y', roundings: 8, shape});
  });
});

describe('refused', () => {
  const build =
    (layer: tf.layers.Layer, shape: Array<number | null>) => (): void =>
      layer.build(shape);

  it.each<[string, () => unknown, string]>([
    [
      'groups that are not a number of groups',
      () => groupNorm({name: 'gn', groups: 0}),
      'GroupNorm gn: groups must be an integer above 0, or -1 for one group a ' +
        'channel. Received: groups=0',
    ],
    [
      'groups that do not divide the channels, with both numbers',
      build(groupNorm({name: 'gn', groups: 4}), [null, 6]),
      'GroupNorm gn: groups must divide the 6 channels, or be -1 for one group a ' +
        'channel. Received: groups=4',
    ],
    [
      'the batch as channels',
      build(groupNorm({name: 'gn', axis: -2}), [null, 32]),
      'GroupNorm gn: axis must be one axis, that of the channels, and not the ' +
        "batch's. Received: axis=-2",
    ],
    [
      'several axes of channels',
      () => groupNorm({name: 'gn', axis: [1, 2]} as unknown as GroupNormArgs),
      'GroupNorm gn: axis must be an integer. Received: axis=[1,2]',
    ],
    [
      'channels without a number',
      build(instanceNorm({name: 'in'}), [null, 3, null]),
      'InstanceNorm in: Axis 2 of input tensor should have a defined dimension.',
    ],
    [
      'an epsilon of 0',
      () => rmsNorm({name: 'rms', epsilon: 0}),
      'RMSNorm rms: epsilon must be a number above 0. Received: epsilon=0',
    ],
    [
      'an option of another layer',
      () => rmsNorm({name: 'rms', center: true} as RMSNormArgs),
      'RMSNorm rms: unknown option center; its options are axis, epsilon, ' +
        'scaleInitializer, scaleRegularizer, scaleConstraint. Received: center=true',
    ],
    [
      'groups of the function that do not divide',
      () => ops.groupNorm(tf.ones([2, 6]), {groups: 4}),
      'ops.groupNorm: groups must divide the 6 channels, or be -1 for one group a ' +
        'channel. Received: groups=4',
    ],
    [
      'groups of a function that has none',
      () => ops.instanceNorm(tf.ones([2, 3, 6]), {groups: 2} as object),
      'ops.instanceNorm: unknown option groups',
    ],
  ])('%s', (_, run_, message) => {
    expect(run_).toThrow(message);
  });
});

describe.each(FAMILY)('%s', (_, make) => {
  it('takes one kernel forward and one backward where they are fused', async () => {
    const layer = make();
    layer.build([8, 3, 4]);
    const x = randomTensor([8, 3, 4], 1);
    const step = (): tf.Tensor =>
      tf.grad((a) => layer.apply(a) as tf.Tensor)(x, x);
    const kernels = await kernelsOf(step);
    for (const name of ['Normalize', 'NormalizeGrad']) {
      const runs = kernels.filter(
        (each) => each === `TfjsNormalization/${name}`,
      );
      expect([name, runs.length]).toEqual([name, 1]);
    }
  });
});
