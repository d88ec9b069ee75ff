// Imports the package only for its side effects, as a program that loads models
// would: the layers come from tf.js's own registry.
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
