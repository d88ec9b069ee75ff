// Keras's SpectralNormalization by fromKeras: what is refused, and warned of. That it
// predicts as in Keras, from_keras.test.ts and loading_names.test.ts show.
import * as tf from '@tensorflow/tfjs';
import {SpectralNorm} from 'tfjs-normalization';
import {trainsStockLayers} from '../../support/stock_training.js';
import {randomTensor, weightsOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {expectRefused, type Json, layer, load, model, T} from './keras_json.js';

const inner = (className: string, config: Json): Json => ({
  class_name: className,
  config: {name: 'inner', trainable: true, ...config},
});

const spectral = (inside: Json, kwargs: Json = {}): Json =>
  layer(
    'SpectralNormalization',
    {power_iterations: 2, trainable: true, layer: inside},
    T('in'),
    kwargs,
  );

const DENSE = inner('Dense', {units: 3, use_bias: false});

const weights = (kernel: number[]): tf.io.ModelArtifacts => ({
  weightSpecs: [
    {name: 'x/inner/kernel', shape: kernel, dtype: 'float32'},
    {name: 'x/vector_u', shape: [1, 3], dtype: 'float32'},
  ],
  weightData: Float32Array.from({length: 15}, (_, i) => i / 4 - 1).buffer,
});

it.each<[string, unknown, string, tf.io.ModelArtifacts?]>([
  [
    'training=True, by which Keras would write to the kernel in prediction',
    model([spectral(DENSE, {training: true})]),
    'SpectralNormalization x: Keras changes its kernel in every prediction. ' +
      'Received: training=true',
  ],
  [
    'a layer inside that tf.js does not have',
    model([spectral(inner('Dense', {units: 3, activation: 'exponential'}))]),
    'Dense inner: tf.js has no such activation. Received: activation="exponential"',
  ],
  [
    'a layer inside without a kernel',
    model([spectral(inner('Flatten', {}))]),
    'SpectralNorm x: the layer inside must have one kernel, or embeddings',
  ],
  [
    'a kernel of another shape, though of the same size',
    model([spectral(DENSE)]),
    'must be float32 of shape [4, 3]',
    weights([3, 4]),
  ],
  [
    'no iterations',
    model([
      layer('SpectralNormalization', {power_iterations: 0, layer: DENSE}),
    ]),
    'SpectralNorm x: powerIterations must be an integer above 0. ' +
      'Received: powerIterations=0',
  ],
])('%s is refused', async (...[, topology, message, more]) => {
  await expectRefused(topology, message, more);
});

it('trains from there as here: the kernel stays as the optimizer leaves it', async () => {
  trainsStockLayers();
  const loaded = await load(model([spectral(DENSE)]), weights([4, 3]));
  const norm = loaded.getLayer('x') as SpectralNorm;
  expect(norm).toBeInstanceOf(SpectralNorm);
  expect(norm.getConfig()).toMatchObject({
    powerIterations: 2,
    kernelIsNormalized: true,
  });
  const before = weightsOf(norm);
  loaded.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError'});
  const [x, y] = [randomTensor([6, 4], 1), randomTensor([6, 3], 2)];
  await loaded.fit(x, y, {epochs: 1, verbose: 0});
  const after = weightsOf(norm);
  expect(after.kernel).toEqual(before.kernel);
  expect(after.vector_u).not.toEqual(before.vector_u);
  expect(norm.getConfig().kernelIsNormalized).toBe(false);
  loaded.dispose();
});

it('warns of embeddings, whose output Keras 3 rounds if its input is of integers', async () => {
  const embedding = inner('Embedding', {input_dim: 5, output_dim: 3});
  const loaded = await load(model([spectral(embedding)]));
  expect(warnings().join()).toContain('SpectralNormalization x');
  expect(warnings().join()).toContain('rounds the output');
  loaded.dispose();
});
