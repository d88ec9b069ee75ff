import {
  add,
  customGrad,
  type GradSaveFunc,
  mul,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {blockedSum} from '../kernels/blocked_mean.js';
import {reshapeTo} from '../kernels/frame.js';
import type {Parameters} from '../kernels/packing.js';
import {required} from '../kernels/packing.js';

/**
 * `x · gamma + beta`, for the parameters that no view can say, in shapes that
 * broadcast against x after being reshaped to those given.
 *
 * The gradients of gamma and beta are summed in blocks, as the kernels do, and
 * not by core's own gradient of a product.
 */
export function scaleAndShift(
  x: Tensor,
  {gamma, beta}: Parameters,
  shapes: {readonly gamma: readonly number[]; readonly beta: readonly number[]},
): Tensor {
  const scaled = gamma === undefined ? x : multiply(x, gamma, shapes.gamma);
  return beta === undefined ? scaled : shift(scaled, beta, shapes.beta);
}

function multiply(x: Tensor, gamma: Tensor, shape: readonly number[]): Tensor {
  return customGrad((...args) => {
    const [input, scale, save] = args as unknown as [
      Tensor,
      Tensor,
      GradSaveFunc,
    ];
    save([input, scale]);
    return {
      value: mul(input, reshapeTo(scale, shape)),
      gradFunc: (dy, saved) => {
        const [savedInput, savedScale] = saved as Tensor[];
        const along = mul(dy, required(savedInput));
        return [
          mul(dy, reshapeTo(required(savedScale), shape)),
          reshapeTo(sumLike(along, shape), scale.shape),
        ];
      },
    };
  })(x, gamma);
}

function shift(x: Tensor, beta: Tensor, shape: readonly number[]): Tensor {
  return customGrad((...args) => {
    const [input, offset] = args as Tensor[];
    return {
      value: add(required(input), reshapeTo(required(offset), shape)),
      gradFunc: (dy) => [
        dy,
        reshapeTo(sumLike(dy, shape), required(offset).shape),
      ],
    };
  })(x, beta);
}

/** Sums over the axes on which a tensor of this shape was broadcast. */
function sumLike(dy: Tensor, shape: readonly number[]): Tensor {
  const axes = dy.shape.flatMap((length, axis) =>
    length !== 1 && shape[axis] === 1 ? [axis] : [],
  );
  return blockedSum(dy, axes);
}
