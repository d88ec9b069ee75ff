import {layers} from '@tensorflow/tfjs-layers';
import {refuseOptions} from '../../layer_support/options.js';
import {forgetUnwatchedCalls} from '../../layer_support/own_mask.js';
import {
  patchedBatchNormalization,
  patchedLayerNormalization,
} from './patched_layers.js';
import type {LayerMethods, StockBatchNormalization} from './stock_layers.js';

/** Functions that restore the stock methods; empty while not patched. */
let restores: Array<() => void> = [];

/**
 * Makes tf.js's own BatchNormalization and LayerNormalization compute through
 * this package from now on: all of them, existing or new, made by a factory or
 * loaded. Their config, their weights and their class names in model files stay
 * as they are; wrong results become right, and slow ones fast. A second call
 * has no effect.
 *
 * ```js
 * const unpatch = patchStockLayers();
 * const model = tf.sequential();
 * model.add(tf.layers.batchNormalization({scale: false, inputShape: [4]}));
 * unpatch();
 * ```
 *
 * @return A function that restores stock tf.js.
 */
export function patchStockLayers(...none: []): () => void {
  refuseOptions(none, 'patchStockLayers');
  if (restores.length > 0) return unpatchStockLayers;
  forgetUnwatchedCalls();
  restores = [
    // Names of their own, so that they do not take one meant for a user's
    // layer.
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

/** Tells if tf.js's own layers compute through this package now. */
export function arePatched(): boolean {
  return restores.length > 0;
}

/** Runs a function while tf.js's own layers compute through this package. */
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

/** Replaces methods of a layer's class, both own and inherited. */
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
