/**
 * Exercises the package in every project: trains one step, saves, loads, and
 * returns the results.
 *
 * @param tf The project's TensorFlow.js.
 * @param normalization The project's copy of this package, with the patch.
 * @param urls.save The argument of `model.save`.
 * @param urls.load The argument of `tf.loadLayersModel`, if different.
 */
export async function exercise(tf, normalization, {save, load = save}) {
  const {BatchNorm, batchNorm, layerNorm} = normalization;
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 4, useBias: false, inputShape: [3]}));
  model.add(batchNorm({movingAverage: 'debiased'}));
  model.add(layerNorm());
  model.add(tf.layers.activation({activation: 'sigmoid'}));
  model.add(tf.layers.dense({units: 4, useBias: false}));
  // Without a gamma, tf.js's own layer throws unless it is patched.
  model.add(tf.layers.batchNormalization({scale: false}));
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const x = tf.randomNormal([8, 3], 0, 1, 'float32', 1);
  const y = tf.randomNormal([8, 4], 0, 1, 'float32', 2);
  const before = await weightsOf(model);
  const {history} = await model.fit(x, y, {verbose: 0});
  const after = await weightsOf(model);
  await model.save(save);
  const loaded = await tf.loadLayersModel(load);
  return {
    loss: history.loss[0],
    unmoved: after.filter((value, i) => value === before[i]).length,
    isBatchNorm: loaded.layers[1] instanceof BatchNorm,
    ...(await compare(tf, model, loaded, x)),
  };
}

/** Compares a model with the same model reloaded. */
export async function compare(tf, model, loaded, x) {
  const gap = tf.max(tf.abs(tf.sub(model.predict(x), loaded.predict(x))));
  const [weights, others] = [await weightsOf(model), await weightsOf(loaded)];
  return {
    backend: tf.getBackend(),
    sameWeights: weights.join(' ') === others.join(' '),
    gap: (await gap.data())[0],
  };
}

async function weightsOf(model) {
  const all = await Promise.all(model.getWeights().map((w) => w.data()));
  return all.map(String);
}
