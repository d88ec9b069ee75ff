import {tidy, util} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import {onlyInput} from '../../layer_support/norm_layer.js';
import {resolveAxes} from '../../ops/axes.js';
import {received} from '../../util/received.js';
import {normalizeExamples} from '../../ops/example_norm.js';
import type {LayerMethods, StockLayerNormalization} from './stock_layers.js';

/**
 * Returns the methods of tf.js's LayerNormalization while it is patched.
 *
 * @param stock The stock methods.
 */
export function patchedLayerNormalization(
  stock: LayerMethods<StockLayerNormalization>,
): Partial<LayerMethods<StockLayerNormalization>> {
  return {
    build(inputShape) {
      // Stock writes to the array, which is the user's.
      if (typeof this.axis !== 'number') this.axis = [...this.axis];
      stock.build.call(this, inputShape);
    },

    call(inputs) {
      return tidy(() => {
        const x = onlyInput(inputs);
        const who = `LayerNormalization ${this.name}`;
        const axes = resolveAxes(this.axis, x.rank, who);
        checkLengths(who, x.shape, axes, this.gamma ?? this.beta);
        // gamma and beta are read in the order of the tensor's axes, whatever
        // the order of the `axis` option: as in stock and Keras.
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

/** Stock has no inputSpec to refuse inputs of other lengths. */
function checkLengths(
  who: string,
  shape: readonly number[],
  axes: readonly number[],
  parameter: LayerVariable | null | undefined,
): void {
  if (!parameter) return;
  const built = parameter.shape as number[];
  const lengths = shape.filter((_, axis) => axes.includes(axis));
  if (util.sizeFromShape(lengths) === util.sizeFromShape(built)) return;
  throw new Error(
    `${who}: the layer was built for normalized axes of lengths ` +
      `[${built.join(', ')}]. ${received('inputShape', shape)}`,
  );
}
