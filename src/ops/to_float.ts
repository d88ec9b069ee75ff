import {cast, type Tensor} from '@tensorflow/tfjs-core';

/** The tensor in float32, in which everything here is computed. */
export function toFloat(x: Tensor): Tensor {
  return x.dtype === 'float32' ? x : cast(x, 'float32');
}
