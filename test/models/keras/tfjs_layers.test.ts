// F9: fromKeras also loads every layer that tf.js saves and loads, layer by
// layer.
import * as tf from '@tensorflow/tfjs';
import {fromKeras, toStock} from 'tfjs-normalization';
import {expectCloseNow} from '../../support/close.js';
import {artifactsOf} from '../../support/memory_model.js';
import {difference} from '../../support/tensors.js';
import {
  CASES,
  cell,
  FACTORIES,
  FLAT,
  modelOf,
  OTHERS,
  predicted,
  rnn,
  SEQUENCE,
} from './every_layer.js';
import {handlerOf} from './keras_models.js';

const {layers: L} = tf;

describe('F9: fromKeras loads files of tf.js', () => {
  it('with every layer of tf.js', () => {
    const known = [...FACTORIES, ...OTHERS].sort();
    expect(Object.keys(tf.layers).sort()).toEqual(known);
  });

  it.each(CASES)('%s', async (_, kind, make) => {
    const saved = modelOf(kind, make);
    const artifacts = await artifactsOf(saved);
    const theirs = await tf.loadLayersModel(handlerOf(artifacts));
    const ours = await tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
    const expected = predicted(theirs);
    const found = predicted(ours);
    expect(found?.shape).toEqual(expected?.shape);
    if (expected && found) {
      // Normalizations alone are computed otherwise: a difference, the root, products and a
      // sum, of about 2.
      expectCloseNow(expected, found, {what: 'y', roundings: 8, scale: 2});
    }
    const isNorm = JSON.stringify(saved.toJSON()).includes('Normalization');
    if (!isNorm) {
      // tf.js renumbers stacked cells.
      const configs = [theirs, ours].map((each) =>
        JSON.stringify(each.getConfig()).replace(/RNNCells\d+/g, 'RNNCells'),
      );
      expect(configs[1]).toEqual(configs[0]);
    }
  });

  it('which become stock again', async () => {
    for (const make of [
      (): tf.layers.Layer => rnn(cell(), L.gruCell({units: 2})),
      (): tf.layers.Layer => L.batchNormalization(),
    ]) {
      const saved = modelOf([SEQUENCE], make);
      const artifacts = await fromKeras(
        handlerOf(await artifactsOf(saved)),
      ).load?.();
      let written: tf.io.ModelArtifacts = {};
      const handler = tf.io.withSaveHandler((given) => {
        written = given;
        return Promise.resolve({} as tf.io.SaveResult);
      });
      await toStock(handler).save?.(artifacts ?? {});
      const stock = await tf.loadLayersModel(handlerOf(written));
      const [a, b] = [saved, stock].map((each) => predicted(each));
      expectCloseNow(a as tf.Tensor, b as tf.Tensor, {
        what: 'y',
        roundings: 8,
        scale: 2,
      });
    }
  });

  it('with states that are inputs', async () => {
    const x = tf.input({shape: SEQUENCE});
    const state = tf.input({shape: [2]});
    const outputs = L.gru({units: 2}).apply([x, state]) as tf.SymbolicTensor;
    const saved = tf.model({inputs: [x, state], outputs});
    const artifacts = await artifactsOf(saved);
    const ours = await tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
    const [a, b] = [saved, ours].map((each) => predicted(each));
    expect(difference(a as tf.Tensor, b as tf.Tensor)).toBe(0);
  });

  it('with training at a call, which tf.js does not read', async () => {
    const x = tf.input({shape: FLAT});
    const outputs = L.batchNormalization({name: 'norm'}).apply(x, {
      training: true,
    }) as tf.SymbolicTensor;
    const saved = tf.model({inputs: x, outputs});
    const artifacts = await artifactsOf(saved);
    const ours = await tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
    expect(ours.getLayer('norm').getConfig().statistics).toBe('auto');
    const [a, b] = [saved, ours].map((each) => predicted(each));
    expectCloseNow(a as tf.Tensor, b as tf.Tensor, {
      what: 'y',
      roundings: 8,
      scale: 2,
    });
  });
});
