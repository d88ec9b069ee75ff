import * as tf from '@tensorflow/tfjs';
import {batchNorm, type BatchNorm} from 'tfjs-normalization';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {at} from '../oracle/at.js';
import {expectCloseNow} from './close.js';
import {randomTensor, valuesOf, weightsOf} from './tensors.js';

export const CUT = [2, 2, 4, 8, 16, 32, 64];

export const EXAMPLES = CUT.reduce((a, b) => a + b);

/** Three hidden layers, as the digits have them. */
export function deepModel(): tf.Sequential {
  const model = tf.sequential();
  [5, 4, 3].forEach((units, i) => {
    model.add(
      tf.layers.dense({
        name: `dense_${i}`,
        units,
        useBias: false,
        kernelInitializer: tf.initializers.randomNormal({seed: i + 1}),
        ...(i === 0 && {inputShape: [6]}),
      }),
    );
    model.add(batchNorm({name: `norm_${i}`}));
    model.add(tf.layers.activation({activation: 'sigmoid'}));
    model.add(tf.layers.dropout({rate: 0.5}));
  });
  return model;
}

/** Returns examples whose first ones differ from the last. */
export function driftingData(): tf.Tensor {
  return tf.tidy(() => {
    const drift = tf.linspace(0, 6, EXAMPLES).reshape([EXAMPLES, 1]);
    return randomTensor([EXAMPLES, 6], 1, 3, 2).add(drift);
  });
}

/**
 * Returns the largest error of a layer's statistics, relative to their scale.
 */
export function errorOf(layer: BatchNorm, input: tf.Tensor): number {
  const {mean, variance} = oracle(valuesOf(input), input.shape, {
    axis: -1,
    epsilon: 1e-3,
  });
  const {moving_mean: m = [], moving_variance: v = []} = weightsOf(layer);
  const errors = [...mean].flatMap((expected, c) => {
    const deviation = Math.sqrt(at(variance, c));
    return [
      Math.abs(at(m, c) - expected) / (Math.abs(expected) + deviation),
      Math.abs(at(v, c) / at(variance, c) - 1),
    ];
  });
  return Math.max(...errors);
}

/**
 * A layer has the statistics of this input.
 *
 * @param roundings Defaults to those of sums over a hundred examples, and over batches.
 */
export function expectStatistics(
  layer: BatchNorm,
  input: tf.Tensor,
  roundings = 64,
): void {
  const what = 'the worst error';
  expectCloseNow([errorOf(layer, input)], [0], {what, roundings, scale: 1});
}

/** What a layer gets while the model predicts. */
export function inputOf(
  layer: tf.layers.Layer,
  model: tf.LayersModel,
  x: tf.Tensor,
): tf.Tensor {
  const outputs = layer.input as tf.SymbolicTensor;
  return tf.model({inputs: model.inputs, outputs}).predict(x) as tf.Tensor;
}
