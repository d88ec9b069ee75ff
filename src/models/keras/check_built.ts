import type {LayersModel} from '@tensorflow/tfjs-layers';
import {layersOf} from '../walk_layers.js';
import {refusal} from './json.js';

/**
 * Checks what only shows once a model is built, and would otherwise only at the
 * first prediction.
 *
 * @throws Error naming the layer.
 */
export function checkBuilt(model: LayersModel): void {
  for (const {layer} of layersOf(model)) {
    if (layer.getClassName() !== 'Softmax') continue;
    const axis = layer.getConfig().axis as number;
    for (const {inputShapes} of layer.inboundNodes) {
      const [shape] = inputShapes;
      const rank = Array.isArray(shape) ? shape.length : 0;
      if (axis === -1 || axis === rank - 1) continue;
      const what = 'tf.js has softmax over the last axis only';
      throw refusal(`Softmax ${layer.name}`, what, 'axis', axis);
    }
  }
}
