/**
 * `import 'tfjs-normalization/patch'`: patches tf.js's own layers at once.
 *
 * @module
 */
import {patchStockLayers} from './index.js';

/** Gives stock tf.js back. */
export const unpatch = patchStockLayers();
