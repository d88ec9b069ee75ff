import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  rmsNorm,
} from 'tfjs-normalization';
import {
  type Given,
  type Moved,
  readFixture,
  type TorchOutcome,
} from '../fixtures/fixtures.js';
import {
  built,
  type CallOptions,
  expectMoved,
  expectOutcome,
  gradientsOf,
  run,
} from '../fixtures/layer_run.js';
import {expectClose} from '../support/close.js';

// Numbers by PyTorch 2.15.0 in float64, from test/fixtures/make.py.
const torch = readFixture('torch_norms');

/*
 * Roundings of the largest value; for the first four see
 * keras_fixtures.test.ts. The penalty is a sum of squares of dx, and a square
 * has twice the relative error; its gradients go through the sums of dx twice.
 */
const ROUNDINGS = {y: 8, dx: 16, dgamma: 16, dbeta: 16};
const PENALTY_ROUNDINGS = {y: 0, dx: 32, dgamma: 32, dbeta: 32};
const STATISTIC_ROUNDINGS = 8;

describe.each(torch.batchNorm)('PyTorch, $name', (given) => {
  const {shape, weights, momentum, eps, inference, training} = given;
  const [center, scale] = [weights.beta, weights.gamma].map(Boolean);
  const make = (): BatchNorm =>
    built(
      batchNorm({
        axis: 1,
        epsilon: eps,
        // PyTorch's momentum is the weight of the new value.
        momentum: 1 - momentum,
        unbiasedMovingVariance: true,
        center,
        scale,
      }),
      shape,
      weights,
    );

  it('eval()', () => expectResult(make(), given, inference));

  it('train()', () => expectResult(make(), given, training, {training: true}));

  it('running statistics', async () => {
    const norm = make();
    norm.apply(tf.tensor(given.x, shape), {training: true});
    await expectMoved(norm, training, STATISTIC_ROUNDINGS);
  });
});

describe.each(torch.averages)('PyTorch, momentum=$momentum', (given) => {
  const {momentum, eps, features, batches, steps, x, y} = given;

  it('running statistics over batches of unequal sizes', async () => {
    const norm = batchNorm({
      epsilon: eps,
      unbiasedMovingVariance: true,
      // PyTorch's momentum=None is the mean of all batches.
      ...(momentum === null
        ? {movingAverage: 'cumulative'}
        : {momentum: 1 - momentum}),
    });
    for (const [step, batch] of batches.entries()) {
      const input = tf.tensor(batch, [batch.length / features, features]);
      norm.apply(input, {training: true});
      await expectMoved(norm, steps[step] as Moved, STATISTIC_ROUNDINGS);
    }
    const input = tf.tensor(x, [x.length / features, features]);
    await expectClose(norm.apply(input) as tf.Tensor, y, {
      what: 'y',
      roundings: ROUNDINGS.y,
    });
  });
});

it('PyTorch, track_running_stats=False, eval()', async () => {
  const {shape, eps, x, y} = torch.untracked;
  const norm = batchNorm({epsilon: eps, statistics: 'batch'});
  await expectClose(norm.apply(tf.tensor(x, shape)) as tf.Tensor, y, {
    what: 'y',
    roundings: ROUNDINGS.y,
    shape,
  });
});

it.each(torch.layerNorm)('PyTorch, $name', async (given) => {
  const {shape, weights, axis, eps, result} = given;
  const [center, scale] = [weights.beta, weights.gamma].map(Boolean);
  const norm = layerNorm({axis, epsilon: eps, center, scale});
  await expectResult(built(norm, shape, weights), given, result);
});

it.each(torch.groupNorm)('PyTorch, $name', async (given) => {
  const {shape, weights, axis, groups, eps, result} = given;
  const [center, scale] = [weights.beta, weights.gamma].map(Boolean);
  const norm = groupNorm({groups, axis: axis[0], epsilon: eps, center, scale});
  await expectResult(built(norm, shape, weights), given, result);
});

it.each(torch.instanceNorm)('PyTorch, $name', async (given) => {
  const {shape, weights, axis, eps, result} = given;
  const [center, scale] = [weights.beta, weights.gamma].map(Boolean);
  const norm = instanceNorm({axis: axis[0], epsilon: eps, center, scale});
  await expectResult(built(norm, shape, weights), given, result);
});

it.each(torch.rmsNorm)('PyTorch, $name', async (given) => {
  const {shape, weights, axis, eps, result} = given;
  const norm = built(rmsNorm({axis, epsilon: eps}), shape, weights);
  await expectResult(norm, given, result);
});

/** Compares output, gradients, and the gradients of the squared gradient. */
async function expectResult(
  layer: tf.layers.Layer,
  given: Given,
  {penalty, ...expected}: TorchOutcome,
  options: CallOptions = {},
): Promise<void> {
  const x = tf.tensor(given.x, given.shape);
  const dy = tf.tensor(given.dy, given.shape);
  await expectOutcome(run(layer, x, dy, options), expected, ROUNDINGS);

  const inner = (input: tf.Tensor): tf.Scalar => {
    const y = layer.apply(input, options) as tf.Tensor;
    return tf.sum(tf.mul(dy, tf.square(y)));
  };
  const squaredGradient = (input: tf.Tensor): tf.Scalar =>
    tf.sum(tf.square(tf.grad(inner)(input)));
  const {value, ...gradients} = penalty;
  await expectClose(squaredGradient(x), [value], {
    what: 'the penalty',
    roundings: PENALTY_ROUNDINGS.dx,
  });
  await expectOutcome(
    gradientsOf(layer, x, squaredGradient),
    gradients,
    PENALTY_ROUNDINGS,
  );
}
