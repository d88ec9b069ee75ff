import * as tf from '@tensorflow/tfjs';
import {batchNorm, convertModel, layerNorm} from 'tfjs-normalization';
import {layersOf} from '../../../src/models/graph/live_model.js';
import {expectCloseNow} from '../../support/close.js';
import {randomTensor, valuesOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

const classesOf = (model: tf.LayersModel): string[] =>
  layersOf(model)
    .map(({layer}) => layer.getClassName())
    .filter((name) => name.includes('Norm'));

function shake(model: tf.LayersModel): tf.LayersModel {
  model.setWeights(
    model
      .getWeights()
      .map((weight, i) => tf.add(0.5, tf.abs(randomTensor(weight.shape, i)))),
  );
  return model;
}

/** Returns layers of the same names in two models, one of which is frozen. */
function stockModel(): tf.LayersModel {
  const inner = (name: string, trainable: boolean): tf.LayersModel =>
    tf.sequential({
      name,
      layers: [
        tf.layers.dense({name: 'dense', units: 4, inputShape: [4], trainable}),
        tf.layers.batchNormalization({name: 'norm', trainable}),
      ],
    });
  const sequence = tf.sequential({
    name: 'sequence',
    layers: [
      tf.layers.reshape({targetShape: [2, 2], inputShape: [4]}),
      tf.layers.timeDistributed({layer: tf.layers.batchNormalization()}),
      tf.layers.bidirectional({
        layer: tf.layers.simpleRNN({units: 2}),
        mergeMode: 'concat',
      }),
      tf.layers.layerNormalization({axis: [1]}),
    ],
  });
  return shake(
    tf.sequential({
      layers: [inner('first', false), inner('second', true), sequence],
    }),
  );
}

describe('convertModel', () => {
  it('copies weights unchanged, ignoring constraints', async () => {
    const constrained = tf.layers.dense({
      units: 3,
      inputShape: [2],
      kernelConstraint: tf.constraints.maxNorm({maxValue: 0.1}),
    });
    const stock = tf.sequential({
      layers: [constrained, tf.layers.batchNormalization()],
    });
    // Trained weights can violate constraints: tf.js does not apply them in
    // training.
    const kernel = constrained.weights[0]?.read() as tf.Variable;
    const values = randomTensor([2, 3], 1);
    kernel.assign(values);
    const model = await convertModel(stock, {to: 'normalization'});
    const [converted] = model.getWeights();
    expect(valuesOf(converted as tf.Tensor)).toEqual(valuesOf(values));
  });

  it('goes there and back with equal weights', async () => {
    const stock = stockModel();
    const x = randomTensor([5, 4], 3);
    const before = tf.memory().numTensors;
    const model = await convertModel(stock, {to: 'normalization'});
    expect(tf.memory().numTensors).toBe(before + model.weights.length);
    expect(classesOf(model)).toEqual([
      'BatchNorm',
      'BatchNorm',
      'BatchNorm',
      'LayerNorm',
    ]);
    const back = await convertModel(model, {to: 'stock'});
    expect(classesOf(back)).toEqual(classesOf(stock));
    for (const other of [model, back]) {
      expect(other.getWeights().map(valuesOf)).toEqual(
        stock.getWeights().map(valuesOf),
      );
      const [a, b] = [stock, other].map((each) => each.predict(x) as tf.Tensor);
      // Four normalizations, each in another order than stock.
      expectCloseNow(a as tf.Tensor, b as tf.Tensor, {
        what: 'y',
        roundings: 32,
      });
    }
    expect(JSON.stringify(back.toJSON(null, false))).toBe(
      JSON.stringify(stock.toJSON(null, false)),
    );
    expect(warnings()).toEqual([]);
  });

  it('keeps layers of this package unchanged', async () => {
    const layer = batchNorm({statistics: 'batch', inputShape: [4], name: 'bn'});
    const model = shake(tf.sequential({layers: [layer]}));
    const same = await convertModel(model, {to: 'normalization'});
    expect(same.layers[0]?.getConfig()).toEqual(model.layers[0]?.getConfig());
  });

  it('shares no weights with the given model', async () => {
    const stock = stockModel();
    const kept = stock.getWeights().map(valuesOf);
    const model = await convertModel(stock, {to: 'normalization'});
    model.setWeights(model.getWeights().map((weight) => tf.zerosLike(weight)));
    expect(stock.getWeights().map(valuesOf)).toEqual(kept);
    model.dispose();
    expect(stock.getWeights().map(valuesOf)).toEqual(kept);
  });

  it('drops the weights that stock does not have', async () => {
    const model = shake(
      tf.sequential({
        layers: [batchNorm({movingAverage: 'cumulative', inputShape: [4]})],
      }),
    );
    const stock = await convertModel(model, {to: 'stock'});
    expect(stock.getWeights().map(valuesOf)).toEqual(
      model.getWeights().slice(0, 4).map(valuesOf),
    );
    expect(warnings()).toHaveLength(1);
  });

  it('refuses options that stock does not have, and leaks nothing', async () => {
    const model = tf.sequential({
      layers: [
        layerNorm({name: 'ln', gammaConstraint: 'nonNeg', inputShape: [4]}),
      ],
    });
    const before = tf.memory().numTensors;
    await expect(convertModel(model, {to: 'stock'})).rejects.toThrow(
      'LayerNorm ln: stock tf.js has no such gammaConstraint. Received: ',
    );
    expect(tf.memory().numTensors).toBe(before);
    await convertModel(model, {to: 'stock', lossy: true});
    await expect(convertModel(model, {to: 'keras' as 'stock'})).rejects.toThrow(
      `convertModel: to must be 'normalization' or 'stock'. Received: to="keras"`,
    );
  });
});
