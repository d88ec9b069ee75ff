// The worker trains; the page, which imports the package only to register its
// layers, loads the model.
import * as tf from '@tensorflow/tfjs';
import 'tfjs-normalization';

const worker = new Worker(new URL('./worker.js', import.meta.url), {
  type: 'module',
});
worker.onerror = ({message}) => {
  throw new Error(message);
};
worker.onmessage = async ({data}) => {
  const loaded = await tf.loadLayersModel('indexeddb://model');
  const {shape} = loaded.predict(tf.ones([2, 3]));
  globalThis.outcome = {...data, pageLoads: shape.join() === '2,4'};
};
