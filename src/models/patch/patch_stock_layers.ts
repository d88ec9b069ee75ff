import {layers} from '@tensorflow/tfjs-layers';
import {refuseOptions} from '../../layer_support/options.js';
import {forgetUnwatchedCalls} from '../../layer_support/own_mask.js';
import {patchedBatchNormalization} from './patched_batch_normalization.js';
import {patchedLayerNormalization} from './patched_layer_normalization.js';
import type {LayerMethods, StockBatchNormalization} from './stock_layers.js';

/** What gives stock its methods back; empty while it has them. */
let restores: Array<() => void> = [];

/**
 * Makes tf.js's own BatchNormalization and LayerNormalization compute through
 * this package from now on, wherever they are: made by a factory, alive or
 * loaded, before or after. Their config, their weights and their class names in
 * model files stay as they are; what they get wrong becomes right, and what is
 * slow fast. Patching twice is patching once.
 *
 * ```js
 * const unpatch = patchStockLayers();
 * const model = tf.sequential();
 * model.add(tf.layers.batchNormalization({scale: false, inputShape: [4]}));
 * unpatch();
 * ```
 *
 * @return A function that gives stock tf.js back.
 */
export function patchStockLayers(...none: []): () => void {
  refuseOptions(none, 'patchStockLayers');
  if (restores.length > 0) return unpatchStockLayers;
  forgetUnwatchedCalls();
  restores = [
    // A name of their own, or they would take one that a user's layer gets.
    replaceMethods(
      layers.batchNormalization({name: 'to_be_patched'}),
      (stock: LayerMethods<StockBatchNormalization>) =>
        patchedBatchNormalization(stock, arePatched),
    ),
    replaceMethods(
      layers.layerNormalization({name: 'to_be_patched'}),
      patchedLayerNormalization,
    ),
  ];
  return unpatchStockLayers;
}

/** Whether tf.js's own layers compute through this package now. */
export function arePatched(): boolean {
  return restores.length > 0;
}

/** Runs something while tf.js's own layers compute through this package. */
export function whilePatched<T>(run: () => T): T {
  if (arePatched()) return run();
  patchStockLayers();
  try {
    return run();
  } finally {
    unpatchStockLayers();
  }
}

function unpatchStockLayers(): void {
  for (const restore of restores) restore();
  restores = [];
}

/** Replaces methods of a layer's class, its own and those that it inherits. */
function replaceMethods<T>(
  sample: layers.Layer,
  patch: (stock: LayerMethods<T>) => Partial<LayerMethods<T>>,
): () => void {
  const methods = Object.getPrototypeOf(sample) as LayerMethods<T>;
  const {apply, build, call} = methods;
  const patched = patch({apply, build, call});
  const before = Object.keys(patched).map(
    (name) => [name, Object.getOwnPropertyDescriptor(methods, name)] as const,
  );
  Object.assign(methods, patched);
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(methods, name, descriptor);
      else Reflect.deleteProperty(methods, name);
    }
  };
}
