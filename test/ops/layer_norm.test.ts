import * as tf from '@tensorflow/tfjs';
import {ops} from 'tfjs-normalization';

describe('ops.layerNorm', () => {
  it('normalizes each row', async () => {
    const y = ops.layerNorm(tf.tensor2d([[1, 2, 3], [10, 20, 30]]), {epsilon: 1e-9});
    expect(tf.getBackend()).toBe((globalThis as unknown as {BACKEND: string}).BACKEND);
    const values = await y.data();
    expect(values[0]).toBeCloseTo(-1.2247, 4);
  });
});
