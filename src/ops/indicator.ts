import {ones, type Tensor, zeros} from '@tensorflow/tfjs-core';
import {whereAnyRank} from './where_any_rank.js';

/**
 * 1 where a condition holds and 0 elsewhere, in float32.
 *
 * Not a cast, which webgpu 4.22 does not convert: its reductions then read the
 * bits of integers as those of floats.
 */
export function indicator(condition: Tensor): Tensor {
  const {shape} = condition;
  return whereAnyRank(condition, ones(shape), zeros(shape));
}
