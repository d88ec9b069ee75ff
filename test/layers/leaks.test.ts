import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, ops} from 'tfjs-normalization';
import {reload} from '../support/memory_model.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor} from '../support/tensors.js';

const LAYERS: Array<[string, () => tf.layers.Layer]> = [
  ['BatchNorm', () => batchNorm({inputShape: [3]})],
  [
    'BatchNorm, debiased, with a constraint',
    () =>
      batchNorm({
        inputShape: [3],
        movingAverage: 'debiased',
        gammaConstraint: 'nonNeg',
        betaRegularizer: 'l2',
      }),
  ],
  [
    'BatchNorm, cumulative, frozen',
    () =>
      batchNorm({
        inputShape: [3],
        movingAverage: 'cumulative',
        trainable: false,
      }),
  ],
  [
    'BatchNorm of the batch',
    () => batchNorm({inputShape: [3], statistics: 'batch'}),
  ],
  [
    'BatchNorm with renorm',
    () =>
      batchNorm({
        inputShape: [3],
        renorm: true,
        renormClipping: {rmax: 3, dmax: 5},
        movingAverage: 'debiased',
      }),
  ],
  [
    'BatchNorm with virtual batches, and a rest',
    () =>
      batchNorm({
        inputShape: [3],
        virtualBatchSize: 4,
        unbiasedMovingVariance: true,
      }),
  ],
  ['LayerNorm', () => layerNorm({inputShape: [3]})],
  [
    'LayerNorm with a constraint',
    () => layerNorm({inputShape: [3], gammaConstraint: 'unitNorm'}),
  ],
];

const counts = (): {tensors: number; buffers: number} => {
  const {numTensors, numDataBuffers} = tf.memory();
  return {tensors: numTensors, buffers: numDataBuffers};
};

describe.each(LAYERS)('%s leaks nothing', (_, make) => {
  const x = (): tf.Tensor => randomTensor([6, 3], 1);

  it('in 200 cycles of making, training, predicting, saving, loading and disposing', async () => {
    trainsStockLayers();
    const input = x();
    const target = tf.ones([6, 1]);
    const cycle = async (): Promise<void> => {
      const model = tf.sequential();
      model.add(make());
      model.add(tf.layers.dense({units: 1}));
      model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
      await model.fit(input, target, {epochs: 1, verbose: 0});
      tf.dispose(model.predict(input));
      const loaded = await reload(model);
      tf.dispose(loaded.predict(input));
      loaded.dispose();
      model.dispose();
    };
    await cycle();
    const before = counts();
    for (let i = 0; i < 200; i++) await cycle();
    expect(counts()).toEqual(before);
  });

  it('in eager steps and gradients, in and out of tidy', () => {
    const layer = make();
    const input = x();
    layer.apply(input, {training: true});
    const step = (): void => {
      tf.dispose(layer.apply(input, {training: true}) as tf.Tensor);
      tf.dispose(layer.apply(input) as tf.Tensor);
      tf.tidy(() => {
        layer.apply(input, {training: true});
      });
      const f = (a: tf.Tensor): tf.Tensor =>
        layer.apply(a, {training: true}) as tf.Tensor;
      tf.dispose(tf.grad(f)(input));
    };
    step();
    const before = counts();
    for (let i = 0; i < 20; i++) step();
    expect(counts()).toEqual(before);
  });

  it('when disposed', () => {
    const input = x();
    const before = counts();
    const layer = make();
    tf.dispose(layer.apply(input, {training: true}) as tf.Tensor);
    layer.dispose();
    expect(counts()).toEqual(before);
  });
});

describe('tensors of masks and ops are freed', () => {
  it('after masked steps', () => {
    const layer = batchNorm({movingAverage: 'debiased'});
    const input = randomTensor([4, 3, 2], 1);
    const mask = tf.greater(randomTensor([4, 3], 2), 0);
    const step = (): void =>
      tf.dispose([
        layer.apply(input, {training: true, mask}) as tf.Tensor,
        layer.apply(input, {mask}) as tf.Tensor,
      ]);
    step();
    const before = counts();
    for (let i = 0; i < 20; i++) step();
    expect(counts()).toEqual(before);
    layer.resetStatistics();
    // The count of masked steps is kept beside the weights.
    expect(counts().tensors).toBe(before.tensors - 1);
  });

  it('after ops of every kind, and gradients of the second order', () => {
    const input = randomTensor([4, 5, 3], 1);
    const gamma = randomTensor([4, 3], 2);
    const step = (): void => {
      const {y, mean, variance} = ops.batchNorm(input, {axis: [1]});
      tf.dispose([
        y,
        mean,
        variance,
        ops.layerNorm(input, {axis: 1, beta: tf.tensor1d([1, 2, 3, 4, 5])}),
        ops.layerNorm(input, {gamma, beta: gamma}),
      ]);
    };
    const second = (): void => {
      const f = (a: tf.Tensor): tf.Tensor => ops.layerNorm(a, {gamma});
      tf.dispose(tf.grad((a) => tf.square(tf.grad(f)(a)))(input));
    };
    const before = counts();
    tf.tidy(step);
    second();
    expect(counts()).toEqual(before);
  });
});
