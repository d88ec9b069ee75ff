import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {layersOf} from '../../graph/walk_layers.js';
import {refusal} from '../../graph/json.js';
import {type GraphModel, modelsIn} from '../../graph/graph.js';
import type {Notes} from '../../graph/notes.js';

/** tf.js has no gradient of these if the second axis has a single step. */
const RECURRENT: readonly string[] = [
  'Bidirectional',
  'ConvLSTM2D',
  'GRU',
  'LSTM',
  'RNN',
  'SimpleRNN',
  'TimeDistributed',
];

/**
 * Checks what is known only once a model is built, and would otherwise fail at
 * the first prediction.
 *
 * @param model The model as the file describes it.
 * @param notes Collects the layers that tf.js cannot train.
 * @throws Error naming the layer.
 */
export function checkBuilt(
  trial: LayersModel,
  model: GraphModel,
  notes: Notes,
): void {
  const operations = new Set(
    modelsIn(model).flatMap(({layers: inner}) =>
      inner.filter(({isOperation}) => isOperation).map(({newName}) => newName),
    ),
  );
  for (const {layer} of layersOf(trial)) {
    if (operations.has(layer.name)) checkRanks(layer);
    if (layer.getClassName() === 'Softmax') checkSoftmax(layer);
    noteTraining(layer, notes);
  }
}

/** Notes the layers of tf.js 4.22 that have no gradient. */
function noteTraining(layer: layers.Layer, notes: Notes): void {
  const className = layer.getClassName();
  const who = `${className} ${layer.name}`;
  const {dilationRate} = layer.getConfig();
  const isDilated = [dilationRate].flat().some((rate) => Number(rate) > 1);
  if (isDilated || className === 'Conv3DTranspose') {
    notes.add('tf.js predicts with it and cannot train it', who);
  }
  const isDeadEnd = layer.inboundNodes.some(
    ({inboundLayers, inputShapes: [shape]}) =>
      inboundLayers.some((each) => each.getClassName() !== 'InputLayer') &&
      (className === 'Masking' ||
        (RECURRENT.includes(className) &&
          Array.isArray(shape) &&
          shape[1] === 1)),
  );
  if (!isDeadEnd) return;
  const topic = 'tf.js predicts with it and cannot train what comes before it';
  notes.add(topic, who);
}

function checkSoftmax(layer: layers.Layer): void {
  const axis = layer.getConfig().axis as number;
  for (const {inputShapes} of layer.inboundNodes) {
    const [shape] = inputShapes;
    const rank = Array.isArray(shape) ? shape.length : 0;
    if (axis === -1 || axis === rank - 1) continue;
    const what = 'tf.js has softmax only over the last axis';
    throw refusal(`Softmax ${layer.name}`, what, 'axis', axis);
  }
}

/** Keras 2 files do not hold the shapes of an operation's inputs. */
function checkRanks(layer: layers.Layer): void {
  for (const {inputShapes} of layer.inboundNodes) {
    const ranks = inputShapes.map((shape) =>
      Array.isArray(shape) ? shape.length : undefined,
    );
    if (new Set(ranks).size <= 1) continue;
    const what = 'tf.js merges only tensors of the same rank';
    const who = `${layer.getClassName()} ${layer.name}`;
    throw refusal(who, what, 'shapes', inputShapes);
  }
}
