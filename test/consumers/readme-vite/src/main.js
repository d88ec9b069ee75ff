import {compare} from '../shared/exercise.mjs';

const samples = tf.randomUniform([6, 64]);
await model.save('indexeddb://again');
const again = await tf.loadLayersModel('indexeddb://again');
const reloaded = typeof loaded === 'undefined' ? again : loaded;
globalThis.outcome = await compare(tf, model, reloaded, samples);
