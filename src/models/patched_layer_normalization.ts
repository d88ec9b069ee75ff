import {tidy} from '@tensorflow/tfjs-core';
import {onlyInput} from '../../layers/norm_layer.js';
import {resolveAxes} from '../ops/axes.js';
import {normalizeExamples} from '../ops/example_norm.js';
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
        const x = onlyInput(inputs);
        const who = `LayerNormalization ${this.name}`;
        const axes = resolveAxes(this.axis, x.rank, who);
        // gamma and beta are read in the order of the tensor's axes, whatever
        // the order in which stock was given them: so do stock and Keras.
        return normalizeExamples(x, {
          axes,
          epsilon: this.epsilon,
          gamma: this.gamma?.read(),
          beta: this.beta?.read(),
        });
      });
    },
  };
}
