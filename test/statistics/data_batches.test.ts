// Tests the forms of data that recalibrate accepts.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, recalibrate} from 'tfjs-normalization';
import {randomTensor} from '../support/tensors.js';

const twoInputs = (): tf.LayersModel => {
  const inputs = [0, 1].map(() => tf.input({shape: [3]}));
  const sum = tf.layers.add().apply(inputs) as tf.SymbolicTensor;
  return tf.model({
    inputs,
    outputs: batchNorm().apply(sum) as tf.SymbolicTensor,
  });
};

describe('data for a model of two inputs', () => {
  const x = (): tf.Tensor => randomTensor([4, 3], 1);

  it.each<[string, (model: tf.LayersModel) => unknown]>([
    ['a list', () => [x(), x()]],
    [
      'by name',
      ({inputNames}) => Object.fromEntries(inputNames.map((n) => [n, x()])),
    ],
  ])('is taken as %s', async (_, make) => {
    const model = twoInputs();
    const data = tf.data.array([make(model)] as never);
    await recalibrate(model, data);
    const [mean] = model.getWeights().slice(-2);
    expect(mean?.shape).toEqual([3]);
  });

  it.each<[string, () => unknown]>([
    ['one tensor', () => [tf.ones([4, 3])]],
    ['a number', () => 5],
    ['names that are not the inputs', () => ({a: tf.ones([4, 3])})],
  ])('is refused as %s', async (_, make) => {
    const data = tf.data.array([make()] as never);
    await expect(recalibrate(twoInputs(), data as never)).rejects.toThrow(
      /must be a tensor for each of .*Received: x=/,
    );
  });
});
