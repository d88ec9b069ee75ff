import * as tf from '@tensorflow/tfjs';
import {layerNorm, ops} from 'tfjs-normalization';
import {onlyInput} from '../../src/layer_support/norm_layer.js';
import {difference, randomTensor} from '../support/tensors.js';

describe('a wrong tensor or number', () => {
  const x = (): tf.Tensor => randomTensor([3, 2], 1);

  it('is refused by name', () => {
    expect(() => ops.layerNorm(x(), {gamma: [1, 2] as never})).toThrow(
      'ops.layerNorm: gamma must be a tensor. Received: gamma=[1,2]',
    );
    expect(() => ops.batchNorm(x(), {epsilon: (() => 1) as never})).toThrow(
      'ops.batchNorm: epsilon must be a number above 0. Received: epsilon=a function',
    );
    expect(() => onlyInput([])).toThrow('a layer needs an input');
    expect(() => layerNorm().apply({} as never)).toThrow();
  });

  it('a layer can be called without options, as with apply', () => {
    const layer = layerNorm();
    const applied = layer.apply(x()) as tf.Tensor;
    expect(difference(layer.call(x()), applied)).toBe(0);
  });
});
