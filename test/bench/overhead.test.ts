import * as tf from '@tensorflow/tfjs';
import {measureOverhead} from '../../bench/overhead.js';

describe('measureOverhead', () => {
  it.each([
    ['BatchNorm', [6, 4], ['Normalize', 'MovingStatistics', 'NormalizeGrad']],
    ['LayerNorm', [6, 4], ['Normalize', 'NormalizeGrad']],
    ['GroupNorm', [6, 4], ['Normalize', 'NormalizeGrad']],
    ['InstanceNorm', [2, 3, 4], ['Normalize', 'NormalizeGrad']],
    ['RMSNorm', [6, 4], ['Normalize', 'NormalizeGrad']],
  ])('times a step and its kernels alone: %s', (layer, shape, kernels) => {
    const {numTensors, numDataBuffers} = tf.memory();
    const row = measureOverhead(layer, shape, {warmUp: 1, rounds: 2, runs: 3});
    expect(row).toMatchObject({layer, shape, kernels});
    for (const {fast, median} of [row.step, row.kernelsAlone]) {
      expect(fast).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(fast);
    }
    expect(tf.memory()).toMatchObject({numTensors, numDataBuffers});
  });

  it('refuses a layer that it does not know', () => {
    expect(() => measureOverhead('Dense', [2, 2])).toThrow('no layer Dense');
  });
});
