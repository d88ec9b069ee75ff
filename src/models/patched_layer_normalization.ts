import {type Tensor, tidy} from '@tensorflow/tfjs-core';
import {resolveAxes} from '../ops/axes.js';
import {examplesLayout} from '../ops/layout.js';
import {normalize} from '../ops/normalize.js';
import {toFloat} from '../ops/to_float.js';
import type {LayerMethods, StockLayerNormalization} from './stock_layers.js';

/**
 * What tf.js's LayerNormalization does while it is patched.
 *
 * @param stock Its own methods.
 */
export function patchedLayerNormalization(
  stock: LayerMethods<StockLayerNormalization>,
): LayerMethods<StockLayerNormalization> {
  return {
    build(inputShape) {
      // Stock writes into the array, and it is the user's.
      if (typeof this.axis !== 'number') this.axis = [...this.axis];
      stock.build.call(this, inputShape);
    },

    call(inputs) {
      return tidy(() => {
        const x = toFloat([inputs].flat()[0] as Tensor);
        const who = `LayerNormalization ${this.name}`;
        const axes = resolveAxes(this.axis, x.rank, who);
        // gamma and beta are read in the order of the tensor's axes, whatever
        // the order in which stock was given them: so do stock and Keras.
        return normalize(x, examplesLayout(x.shape, axes), {
          epsilon: this.epsilon,
          gamma: this.gamma?.read(),
          beta: this.beta?.read(),
        }).y;
      });
    },
  };
}
