import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {layersOf} from '../walk_layers.js';
import {refusal} from './json.js';
import {type KerasModel, modelsIn} from './keras_model.js';

/**
 * Checks what only shows once a model is built, and would otherwise only at the
 * first prediction.
 *
 * @param model What the file says of the model.
 * @throws Error naming the layer.
 */
export function checkBuilt(trial: LayersModel, model: KerasModel): void {
  const operations = new Set(
    modelsIn(model).flatMap(({layers: inner}) =>
      inner.filter(({isOperation}) => isOperation).map(({newName}) => newName),
    ),
  );
  for (const {layer} of layersOf(trial)) {
    if (operations.has(layer.name)) checkRanks(layer);
    if (layer.getClassName() === 'Softmax') checkSoftmax(layer);
  }
}

function checkSoftmax(layer: layers.Layer): void {
  const axis = layer.getConfig().axis as number;
  for (const {inputShapes} of layer.inboundNodes) {
    const [shape] = inputShapes;
    const rank = Array.isArray(shape) ? shape.length : 0;
    if (axis === -1 || axis === rank - 1) continue;
    const what = 'tf.js has softmax over the last axis only';
    throw refusal(`Softmax ${layer.name}`, what, 'axis', axis);
  }
}

/** Keras 2 does not write down the shapes of what an operation is done to. */
function checkRanks(layer: layers.Layer): void {
  for (const {inputShapes} of layer.inboundNodes) {
    const ranks = inputShapes.map((shape) =>
      Array.isArray(shape) ? shape.length : undefined,
    );
    if (new Set(ranks).size <= 1) continue;
    const what = 'tf.js merges tensors of one rank only';
    const who = `${layer.getClassName()} ${layer.name}`;
    throw refusal(who, what, 'shapes', inputShapes);
  }
}
