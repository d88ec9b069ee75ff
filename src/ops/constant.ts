import {customGrad, type Tensor, zeros} from '@tensorflow/tfjs-core';

/**
 * A tensor computed from x that is a constant to the gradient. What `compute` calls
 * leaves no trace on the tape, so that it may use core ops that have no gradient.
 */
export function constantOf(
  x: Tensor,
  compute: (values: Tensor) => Tensor,
): Tensor {
  const {shape} = x;
  const constant = customGrad((values) => ({
    value: compute(values as Tensor),
    gradFunc: () => zeros(shape),
  }));
  return constant(x);
}
