import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {constraintRoundings} from '../support/epsilon.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';

const LAYERS = [
  ['BatchNorm', batchNorm],
  ['LayerNorm', layerNorm],
] as const;

// tfjs's optimizers write variables without applying constraints: stock gamma
// with nonNeg goes to -4.9.
describe.each(LAYERS)('a constraint of %s', (_, make) => {
  it('holds after fit, in the layer, in getWeights and in the saved model', async () => {
    trainsStockLayers();
    const model = tf.sequential();
    const layer = make({
      inputShape: [3],
      gammaConstraint: 'nonNeg',
      betaConstraint: tf.constraints.minMaxNorm({maxValue: 0.5}),
    });
    model.add(layer);
    model.compile({optimizer: tf.train.sgd(1), loss: 'meanSquaredError'});
    const x = randomTensor([8, 3], 1);
    // Only a negative gamma and a large beta can fit these.
    await model.fit(x, tf.sub(2, tf.mul(x, 3)), {epochs: 3, verbose: 0});
    const [gamma, beta] = model.getWeights() as [tf.Tensor, tf.Tensor];
    // webgl has a negative zero.
    expect(Math.abs(Math.min(...valuesOf(gamma)))).toBe(0);
    // Squares, their sum, the root and a division: a norm may be above by these.
    const norm = tf.norm(beta).dataSync()[0] ?? NaN;
    expectCloseNow([Math.max(0.5, norm)], [0.5], {what: 'norm', roundings: 16});
    expect(Math.max(...valuesOf(beta))).toBeGreaterThan(0.2);
    let saved: tf.io.ModelArtifacts = {};
    await model.save(
      tf.io.withSaveHandler((artifacts) => {
        saved = artifacts;
        return Promise.resolve({
          modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts),
        });
      }),
    );
    const stored = new Float32Array(saved.weightData as ArrayBuffer, 0, 3);
    expect(Math.abs(Math.min(...stored))).toBe(0);
  });

  it('leaves initial values alone, as Keras does, until they are written', () => {
    const layer = make({gammaConstraint: 'unitNorm'});
    layer.apply(tf.ones([2, 4]));
    expect(weightsOf(layer).gamma).toEqual([1, 1, 1, 1]);
    layer.setWeights([tf.fill([4], 3), ...layer.getWeights().slice(1)]);
    // Squares, a sum, the root and a division.
    expectCloseNow(weightsOf(layer).gamma ?? [], [0.5, 0.5, 0.5, 0.5], {
      what: 'gamma',
      roundings: 4 + constraintRoundings(),
    });
  });

  it.each(['unitNorm', 'maxNorm', 'minMaxNorm', 'nonNeg'])(
    'does not change a value that satisfies it, bit for bit: %s',
    (gammaConstraint) => {
      const layer = make({gammaConstraint});
      layer.build([null, 5]);
      const random = tf.mul(randomTensor([5], 8), 10);
      layer.setWeights([random, ...layer.getWeights().slice(1)]);
      const held = weightsOf(layer).gamma ?? [];
      const copy = make({gammaConstraint});
      copy.build([null, 5]);
      copy.setWeights(layer.getWeights().map((weight) => weight.clone()));
      expect(weightsOf(copy).gamma).toEqual(held);
      expect(weightsOf(copy).gamma).toEqual(held);
    },
  );
});
