import * as tf from '@tensorflow/tfjs';
import {
  type SpectralNorm,
  spectralNorm,
  type SpectralNormArgs,
} from 'tfjs-normalization';

/** A dense layer of 3 inputs and 2 units, without a bias. */
export function spectralDense(
  options: Partial<SpectralNormArgs> = {},
  config: object = {},
): SpectralNorm {
  return spectralNorm({
    name: 'spectral',
    layer: tf.layers.dense({units: 2, useBias: false, ...config}),
    ...options,
  });
}

/** A kernel for it, and a vector to begin with. */
export const KERNEL = [0.5, -1.25, 2, 0.75, -0.25, 1.5];
export const U = [0.6, -0.8];

/** The same, with these weights. */
export function builtDense(
  options: Partial<SpectralNormArgs> = {},
): SpectralNorm {
  const layer = spectralDense(options);
  layer.build([null, 3]);
  layer.setWeights([tf.tensor2d(KERNEL, [3, 2]), tf.tensor2d([U])]);
  return layer;
}

/** Returns what a layer gives for an input. */
export function callOf(
  layer: SpectralNorm,
  x: tf.Tensor,
  options = {},
): tf.Tensor {
  return layer.apply(x, options) as tf.Tensor;
}
