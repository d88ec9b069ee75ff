import * as tf from '@tensorflow/tfjs';
import {backend} from './backend.js';

/**
 * Call this first in a test that trains stock layers, such as Dense. On
 * backends other than cpu these fail tfjs's own leak check without leaking:
 * their gradient saves tensors during the check, and saving clones them.
 */
export function trainsStockLayers(): void {
  if (backend !== 'cpu') tf.env().set('IS_TEST', false);
}
