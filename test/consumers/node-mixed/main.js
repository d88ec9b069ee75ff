// A program that both imports and requires gets a single instance of the
// package.
import * as tf from '@tensorflow/tfjs';
import * as imported from 'tfjs-normalization';
import {unpatch} from 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
import {exercise} from './shared/exercise.mjs';
import required from './required.cjs';

const {classNameMap} = tf.serialization.SerializationMap.getMap();
const classes = Object.values(imported).filter(({className}) => className);

const outcome = await exercise(tf, imported, {
  save: fileSystem('model'),
});
console.log(
  JSON.stringify({
    ...outcome,
    sameNames: Object.keys(imported).every(
      (name) => imported[name] === required.normalization[name],
    ),
    samePatch: unpatch === required.unpatch,
    registered:
      classes.length > 0 &&
      classes.every((each) => classNameMap[each.className][0] === each),
    isInstance: required.batchNorm() instanceof imported.BatchNorm,
    isInstanceBack: imported.batchNorm() instanceof required.BatchNorm,
  }),
);
