import * as tf from '@tensorflow/tfjs';
import {withFused} from '../../bench/fused.js';

const FLAG = 'NORMALIZATION_FUSED';

describe('withFused', () => {
  beforeAll(() => tf.env().registerFlag(FLAG, () => true));

  it.each([true, false])('sets the flag to %s meanwhile', (fused) => {
    expect(withFused(fused, () => tf.env().getBool(FLAG))).toBe(fused);
    expect(tf.env().getBool(FLAG)).toBe(true);
  });

  it('restores the flag after an error', () => {
    const failing = (): never => {
      throw new Error('as it happens');
    };
    expect(() => withFused(false, failing)).toThrow('as it happens');
    expect(tf.env().getBool(FLAG)).toBe(true);
  });
});
