/* global test, expect */
const tf = require('@tensorflow/tfjs');
const {BatchNorm, batchNorm} = require('tfjs-normalization');
require('tfjs-normalization/patch');
const {fileSystem} = require('tfjs-normalization/node');

test('a model is saved and loaded', async () => {
  const model = tf.sequential();
  model.add(batchNorm({inputShape: [3]}));
  model.add(tf.layers.batchNormalization({scale: false}));
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const x = tf.randomNormal([8, 3]);
  await model.fit(x, x, {verbose: 0});
  await model.save(fileSystem('model'));
  const loaded = await tf.loadLayersModel(fileSystem('model'));
  expect(loaded.layers[0]).toBeInstanceOf(BatchNorm);
  const gap = tf.max(tf.abs(tf.sub(loaded.predict(x), model.predict(x))));
  expect((await gap.data())[0]).toBe(0);
});
