import * as tf from '@tensorflow/tfjs';
import {batchNormDense, layers} from 'tfjs-normalization';
import {randomTensor} from '../support/tensors.js';

describe('batchNormDense', () => {
  it('is dense without a bias, batch normalization, and the activation', () => {
    const parts = batchNormDense({
      units: 5,
      activation: 'relu',
      inputShape: [4],
      name: 'block',
      batchNorm: {momentum: 0.5},
    });
    expect(parts.map((layer) => layer.getClassName())).toEqual([
      'Dense',
      'BatchNorm',
      'Activation',
    ]);
    expect(parts.map(({name}) => name)).toEqual([
      'block',
      'block_batch_norm',
      'block_activation',
    ]);
    expect(parts[0]?.getConfig()).toMatchObject({useBias: false, units: 5});
    expect(parts[1]?.getConfig()).toMatchObject({momentum: 0.5});
    const model = tf.sequential({layers: parts});
    const y = model.predict(randomTensor([3, 4], 1)) as tf.Tensor;
    expect(y.shape).toEqual([3, 5]);
    expect(Math.abs(Math.min(...Array.from(y.dataSync())))).toBe(0);
  });

  it('takes null as the default, and freezes both layers with weights', () => {
    const parts = batchNormDense({
      units: 2,
      useBias: undefined,
      name: null as unknown as string,
      trainable: false,
    });
    expect(parts[0]?.getConfig().useBias).toBe(false);
    expect(parts[1]?.name).not.toContain('null');
    expect(parts.slice(0, 2).map(({trainable}) => trainable)).toEqual([
      false,
      false,
    ]);
  });

  it('has names of its own, and a bias if asked', () => {
    const parts = layers.batchNormDense({units: 2, useBias: true});
    expect(parts[0]?.getConfig().useBias).toBe(true);
    expect(new Set(parts.map(({name}) => name)).size).toBe(3);
  });
});
