/**
 * Draws digits with a GAN. Its generator uses batch statistics in prediction
 * too (`statistics: 'batch'`), as pix2pix does.
 */
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {printImages, readDigits} from '../tools/digits_images.js';

const [NOISE, PIXELS, BATCH, STEPS] = [16, 64, 60, 600];

const generator = tf.sequential();
generator.add(
  tf.layers.dense({units: 128, useBias: false, inputShape: [NOISE]}),
);
generator.add(batchNorm({statistics: 'batch'}));
generator.add(tf.layers.reLU());
generator.add(tf.layers.dense({units: PIXELS, activation: 'sigmoid'}));

const judge = tf.sequential();
judge.add(tf.layers.dense({units: 128, inputShape: [PIXELS]}));
judge.add(tf.layers.leakyReLU({alpha: 0.2}));
judge.add(tf.layers.dense({units: 1}));

const call = (model: tf.LayersModel, x: tf.Tensor) =>
  model.apply(x, {training: true}) as tf.Tensor;
const draw = () => call(generator, tf.randomNormal([BATCH, NOISE]));
const weightsOf = (model: tf.LayersModel) =>
  model.trainableWeights.map((weight) => weight.read() as tf.Variable);

/** The discriminator's loss against the label real (1) or drawn (0). */
const loss = (images: tf.Tensor, real: 0 | 1) => {
  const logits = call(judge, images);
  const targets = tf.fill(logits.shape, real);
  return tf.losses.sigmoidCrossEntropy<tf.Tensor, tf.Scalar>(targets, logits);
};

const {pixels} = readDigits();
const [forGenerator, forJudge] = [tf.train.adam(2e-3), tf.train.adam(1e-3)];
for (let step = 0; step < STEPS; step++) {
  tf.tidy(() => {
    const real = pixels.slice(
      (step * BATCH) % (pixels.shape[0] - BATCH),
      BATCH,
    );
    const judging = () => tf.add<tf.Scalar>(loss(real, 1), loss(draw(), 0));
    forJudge.minimize(judging, false, weightsOf(judge));
    forGenerator.minimize(() => loss(draw(), 1), false, weightsOf(generator));
  });
}
printImages(
  generator.predict(tf.randomNormal([BATCH, NOISE])) as tf.Tensor2D,
  4,
);
