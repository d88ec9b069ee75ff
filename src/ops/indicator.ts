import {ones, type Tensor, where, zeros} from '@tensorflow/tfjs-core';

/**
 * 1 where a condition holds and 0 elsewhere, in float32.
 *
 * Not a cast, which webgpu 4.22 does not convert: its reductions then read the
 * bits of integers as those of floats.
 */
export function indicator(condition: Tensor): Tensor {
  const {shape} = condition;
  return where(condition, ones(shape), zeros(shape));
}
