/* global tf, tfjsNormalization, document */
/** Learns two spirals in a page, and paints the network's prediction for the plane. */

const SIDE = 64;
const POINTS = 400;

/** Points of two spirals, one of them rotated by half a turn. */
function spirals() {
  const points = Array.from({length: POINTS}, (_, i) => {
    const angle = (5 * (i + 1)) / POINTS;
    const turned = angle + Math.PI * (i % 2);
    return [(angle / 5) * Math.sin(turned), (angle / 5) * Math.cos(turned)];
  });
  return {
    x: tf.tensor2d(points),
    y: tf.tensor2d(points.map((_, i) => [i % 2])),
  };
}

const model = tf.sequential();
for (const inputShape of [[2], undefined, undefined]) {
  model.add(tf.layers.dense({units: 32, useBias: false, inputShape}));
  model.add(tfjsNormalization.batchNorm({movingAverage: 'debiased'}));
  model.add(tf.layers.activation({activation: 'tanh'}));
}
model.add(tf.layers.dense({units: 1, activation: 'sigmoid'}));
model.compile({
  optimizer: tf.train.adam(0.02),
  loss: 'binaryCrossentropy',
  metrics: ['accuracy'],
});

/** Paints the prediction for every point of the map. */
async function paint() {
  const places = Array.from({length: SIDE * SIDE}, (_, i) => [
    (2 * (i % SIDE)) / SIDE - 1,
    1 - (2 * Math.floor(i / SIDE)) / SIDE,
  ]);
  const answers = tf.tidy(() =>
    tf.reshape(model.predict(tf.tensor2d(places)), [SIDE, SIDE, 1]),
  );
  await tf.browser.toPixels(answers, document.getElementById('map'));
  answers.dispose();
}

async function main() {
  const {x, y} = spirals();
  const onEpochEnd = async (epoch, {acc}) => {
    const state = `Epoch ${epoch + 1}, ${tf.getBackend()}: ${(100 * acc).toFixed(1)}% right`;
    document.getElementById('state').textContent = state;
    if (epoch % 5 === 4) await paint();
  };
  await model.fit(x, y, {
    epochs: 60,
    batchSize: 100,
    verbose: 0,
    callbacks: {onEpochEnd},
  });
  document.getElementById('state').dataset.done = 'true';
}
main();
