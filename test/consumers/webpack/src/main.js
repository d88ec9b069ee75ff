// A program that imports the package only for what that does, as one that loads
// models would: the layers come from tf.js's own registry.
import * as tf from '@tensorflow/tfjs';
import 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {exercise} from '../shared/exercise.mjs';

const {classNameMap} = tf.serialization.SerializationMap.getMap();
const [[BatchNorm, makeBatchNorm], [LayerNorm, makeLayerNorm]] = [
  classNameMap.BatchNorm,
  classNameMap.LayerNorm,
];
const registered = {
  BatchNorm,
  batchNorm: (options = {}) => makeBatchNorm(BatchNorm, options),
  layerNorm: (options = {}) => makeLayerNorm(LayerNorm, options),
};

globalThis.outcome = await exercise(tf, registered, {
  save: 'indexeddb://model',
});
