// SpectralNorm in models: training, files, and the tools for whole models.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  convertModel,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  SpectralNorm,
  spectralNorm,
} from 'tfjs-normalization';
import {singular} from '../oracle/singular.js';
import {expectCloseNow} from '../support/close.js';
import {artifactsOf, reload} from '../support/memory_model.js';
import {KERNEL, spectralDense, U} from '../support/spectral_dense.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {expectNoStock} from '../support/stock.js';
import {randomTensor, valuesOf} from '../support/tensors.js';

describe('in a model', () => {
  const make = (): tf.Sequential =>
    tf.sequential({
      layers: [
        spectralNorm({
          name: 'first',
          layer: tf.layers.dense({units: 3}),
          powerIterations: 2,
          inputShape: [4, 2],
        }),
        tf.layers.flatten(),
        spectralNorm({name: 'second', layer: tf.layers.dense({units: 2})}),
      ],
    });
  const x = (): tf.Tensor => randomTensor([6, 4, 2], 1);

  const trained = async (): Promise<tf.Sequential> => {
    trainsStockLayers();
    const model = make();
    model.compile({optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError'});
    await model.fit(x(), randomTensor([6, 2], 2), {epochs: 3, verbose: 0});
    return model;
  };

  it('learns, and leaves no tensor', async () => {
    const model = await trained();
    const y = randomTensor([6, 2], 2);
    const input = x();
    const before = tf.memory().numTensors;
    const {history} = await model.fit(input, y, {epochs: 6, verbose: 0});
    tf.dispose(model.predict(input));
    expect(tf.memory().numTensors).toBe(before);
    expect(Number(history.loss?.[5])).toBeLessThan(Number(history.loss?.[0]));
    model.dispose();
  });

  it('frees its weights and those of the layer inside', () => {
    const before = tf.memory().numTensors;
    const model = make();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is saved, and loads with the same weights and predictions', async () => {
    const model = await trained();
    const {weightSpecs} = await artifactsOf(model);
    expect(weightSpecs?.map(({name, shape}) => [name, shape])).toEqual([
      ['first/kernel', [2, 3]],
      ['first/bias', [3]],
      ['second/kernel', [12, 2]],
      ['second/bias', [2]],
      ['first/vector_u', [1, 3]],
      ['second/vector_u', [1, 2]],
    ]);
    const loaded = await reload(model);
    expect(loaded.layers[0]).toBeInstanceOf(SpectralNorm);
    const input = x();
    const expected = valuesOf(model.predict(input) as tf.Tensor);
    expect(valuesOf(loaded.predict(input) as tf.Tensor)).toEqual(expected);
    expect(loaded.getConfig()).toEqual(model.getConfig());
    const copy = await convertModel(model, {to: 'normalization'});
    expect(valuesOf(copy.predict(input) as tf.Tensor)).toEqual(expected);
    for (const each of [model, loaded, copy]) each.dispose();
  });

  it('keeps a kernel that holds a constraint only by training, bit for bit', async () => {
    const model = tf.sequential({
      layers: [
        spectralDense(
          {inputShape: [3]},
          {kernelConstraint: tf.constraints.maxNorm({maxValue: 0.1, axis: 0})},
        ),
      ],
    });
    const kernel = model.layers[0]?.trainableWeights[0]?.read() as tf.Variable;
    kernel.assign(tf.tensor2d(KERNEL, [3, 2]));
    const copy = await convertModel(model, {to: 'normalization'});
    expect(copy.getWeights().map(valuesOf)).toEqual(
      model.getWeights().map(valuesOf),
    );
    model.dispose();
    copy.dispose();
  });

  it('says in its file if its kernel is as stored, and no longer after training', async () => {
    trainsStockLayers();
    const model = tf.sequential({
      layers: [spectralDense({kernelIsNormalized: true, inputShape: [3]})],
    });
    model.setWeights([tf.tensor2d(KERNEL, [3, 2]), tf.tensor2d([U])]);
    const input = tf.tensor2d([[1, 0, 0]]);
    expect(valuesOf(model.predict(input) as tf.Tensor)).toEqual(
      KERNEL.slice(0, 2),
    );
    const loaded = await reload(model);
    expect(valuesOf(loaded.predict(input) as tf.Tensor)).toEqual(
      KERNEL.slice(0, 2),
    );
    loaded.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError'});
    await loaded.fit(input, tf.zeros([1, 2]), {verbose: 0});
    const again = await reload(loaded);
    const u = singular(KERNEL, 2, U, 1).u;
    const {sigma} = singular(KERNEL, 2, u, 1);
    for (const each of [loaded, again]) {
      expectCloseNow(
        each.predict(input) as tf.Tensor,
        KERNEL.slice(0, 2).map((value) => value / sigma),
        {what: 'y', roundings: 16},
      );
    }
    for (const each of [model, loaded, again]) each.dispose();
  });

  it('works inside TimeDistributed and in a nested model', async () => {
    const inner = tf.sequential({
      layers: [spectralDense({inputShape: [3]}), tf.layers.reLU()],
    });
    const model = tf.sequential({
      layers: [
        tf.layers.timeDistributed({
          layer: spectralDense({name: 'each'}, {units: 3}),
          inputShape: [4, 3],
        }),
        tf.layers.flatten(),
        tf.layers.dense({units: 3}),
        inner,
      ],
    });
    const loaded = await reload(model);
    const input = randomTensor([2, 4, 3], 1);
    expect(valuesOf(loaded.predict(input) as tf.Tensor)).toEqual(
      valuesOf(model.predict(input) as tf.Tensor),
    );
    model.dispose();
    loaded.dispose();
  });

  it('has a row in inspect', async () => {
    const model = make();
    const rows = await inspect(model);
    expect(
      rows.map(({layer, kind, problems}) => [layer, kind, problems]),
    ).toEqual([
      ['first', 'SpectralNormalization', []],
      ['second', 'SpectralNormalization', []],
    ]);
    expect(Object.keys(rows[0]?.weights ?? {})).toEqual([
      'kernel',
      'bias',
      'vector_u',
    ]);
    model.dispose();
  });

  it('has no counterpart in stock tf.js', async () => {
    const model = make();
    const words =
      'SpectralNorm first: stock tf.js has no such layer. ' +
      'Received: class_name="SpectralNormalization"';
    await expectNoStock(model, words);
    model.dispose();
  });

  it('takes no BatchNorm in, and is not frozen with them', () => {
    const model = tf.sequential({
      layers: [spectralDense({inputShape: [3]}), batchNorm({name: 'norm'})],
    });
    expect(freezeBatchNorm(model)).toBe(1);
    expect(model.layers[0]?.trainable).toBe(true);
    const folded = foldBatchNorm(model);
    expect(folded.layers).toHaveLength(2);
    const input = randomTensor([2, 3], 1);
    expect(valuesOf(folded.predict(input) as tf.Tensor)).toEqual(
      valuesOf(model.predict(input) as tf.Tensor),
    );
    model.dispose();
    folded.dispose();
  });
});
