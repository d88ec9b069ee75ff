import * as tf from '@tensorflow/tfjs';
import {backend} from './backend.js';

/**
 * To be called first by a test that trains stock layers, such as Dense: on wasm
 * these fail tfjs's own leak check, since their gradient saves tensors, saving
 * clones, and a clone is a copy there.
 */
export function trainsStockLayers(): void {
  if (backend === 'wasm') tf.env().set('IS_TEST', false);
}
