// Normalizations that tf.js lacks, loaded from the files of those that have them.
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  convertModel,
  fromKeras,
  GroupNorm,
  InstanceNorm,
  normalization,
  ops,
} from 'tfjs-normalization';
import {expectClose} from '../../support/close.js';
import {expectNoStock} from '../../support/stock.js';
import {randomTensor, valuesOf, weightsOf} from '../../support/tensors.js';
import {
  artifactsIn,
  expectPredictions,
  handlerOf,
  predictionsOf,
  readCases,
} from './keras_models.js';

const FIXTURES = join(__dirname, '../../fixtures');

it('tf.loadLayersModel loads the group normalization of tf-keras 2 by itself', async () => {
  const given = readCases(join(FIXTURES, 'keras2_models.json')).find(
    ({name}) => name === 'group norms in a row',
  );
  if (given === undefined) throw new Error('the fixture has no such model');
  const artifacts = artifactsIn(given);
  // tf.js knows arrays of its own realm only, which those of Jest's structuredClone are not.
  const topology = JSON.stringify(artifacts.modelTopology);
  const model = await tf.loadLayersModel(
    handlerOf({...artifacts, modelTopology: JSON.parse(topology) as object}),
  );
  expect(model.layers.slice(-2).every((l) => l instanceof GroupNorm)).toBe(
    true,
  );
  expectPredictions(given, predictionsOf(given, model));
  model.dispose();
});

it.each(['feature normalizations', 'a feature normalization first'])(
  'tf.loadLayersModel loads %s of tf-keras 2 by itself, int32 counts included',
  async (title) => {
    const given = readCases(join(FIXTURES, 'keras2_models.json')).find(
      ({name}) => name === title,
    );
    if (given === undefined) throw new Error('the fixture has no such model');
    const artifacts = artifactsIn(given);
    const topology = JSON.stringify(artifacts.modelTopology);
    const model = await tf.loadLayersModel(
      handlerOf({...artifacts, modelTopology: JSON.parse(topology) as object}),
    );
    expectPredictions(given, predictionsOf(given, model));
    const counts = model.weights.filter(({originalName}) =>
      originalName.endsWith('/count'),
    );
    expect(counts.length).toBeGreaterThan(0);
    for (const count of counts) {
      expect(count.dtype).toBe('int32');
      // As model_files.py draws it.
      expect(count.read().dataSync()[0]).toBeGreaterThan(0);
    }
    model.dispose();
  },
);

it('a mean with an axis of length 1 before it, as tf-keras takes it', async () => {
  const layer = normalization({
    mean: [[1, 2, 3]],
    variance: [[1, 4, 9]],
    inputShape: [3],
  });
  const model = tf.sequential({layers: [layer]});
  const y = model.predict(tf.tensor2d([[2, 4, 6]])) as tf.Tensor;
  await expectClose(y, [1, 1, 1], {what: 'y', roundings: 2});
  model.dispose();
});

describe('tensorflow-addons', () => {
  /*
   * By hand, from the source of tensorflow-addons 0.23 (layers/normalizations.py): it
   * installs on no Python that TensorFlow 2.16 or later supports. `groups` is the number
   * of channels in a file of instance normalization that has been built.
   */
  const config = (groups: number): object => ({
    name: 'norm',
    trainable: true,
    dtype: 'float32',
    groups,
    axis: -1,
    epsilon: 0.001,
    center: true,
    scale: true,
    beta_initializer: {class_name: 'Zeros', config: {}},
    gamma_initializer: {class_name: 'Ones', config: {}},
    beta_regularizer: null,
    gamma_regularizer: null,
    beta_constraint: null,
    gamma_constraint: null,
  });

  const load = (className: string, groups: number): Promise<tf.LayersModel> =>
    tf.loadLayersModel(
      fromKeras({
        load: () =>
          Promise.resolve({
            modelTopology: {
              keras_version: '2.12.0',
              backend: 'tensorflow',
              model_config: {
                class_name: 'Sequential',
                config: {
                  name: 'model',
                  layers: [
                    {
                      class_name: 'InputLayer',
                      config: {
                        batch_input_shape: [null, 3, 6],
                        dtype: 'float32',
                        sparse: false,
                        ragged: false,
                        name: 'input_1',
                      },
                    },
                    {class_name: className, config: config(groups)},
                  ],
                },
              },
            },
            weightSpecs: ['gamma', 'beta'].map((name) => ({
              name: `norm/${name}`,
              shape: [6],
              dtype: 'float32' as const,
            })),
            weightData: Float32Array.of(1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1)
              .buffer,
          }),
      }),
    );

  it.each([
    ['GroupNormalization', 2, GroupNorm],
    ['InstanceNormalization', -1, InstanceNorm],
    ['InstanceNormalization', 6, InstanceNorm],
  ])('%s with %s groups', async (name, groups, layerClass) => {
    const model = await load(`Addons>${name}`, groups);
    expect(model.layers[1] ?? model.layers[0]).toBeInstanceOf(layerClass);
    const x = randomTensor([2, 3, 6], 1);
    const expected = ops.groupNorm(x, {
      groups,
      gamma: tf.tensor1d([1, 2, 3, 4, 5, 6]),
      beta: tf.tensor1d([6, 5, 4, 3, 2, 1]),
    });
    await expectClose(model.predict(x) as tf.Tensor, valuesOf(expected), {
      what: 'y',
      roundings: 0,
      shape: [2, 3, 6],
    });
    model.dispose();
  });
});

it('stock tf.js has no such layer, which toStock and convertModel say', async () => {
  const model = tf.sequential();
  model.add(new GroupNorm({name: 'norm', groups: 2, inputShape: [4]}));
  const words =
    'GroupNorm norm: stock tf.js has no such layer. ' +
    'Received: class_name="GroupNormalization"';
  await expectNoStock(model, words);
  model.dispose();
});

it('converts a model with Normalization, its weights as they are, and refuses it for stock', async () => {
  const layer = normalization({name: 'norm', inputShape: [2]});
  await layer.adapt([
    [1, 10],
    [3, 30],
  ]);
  const model = tf.sequential({
    layers: [layer, tf.layers.batchNormalization()],
  });
  const converted = await convertModel(model, {to: 'normalization'});
  const [first, second] = converted.layers;
  expect(second?.getClassName()).toBe('BatchNorm');
  expect(weightsOf(first as tf.layers.Layer)).toEqual({
    mean: [2, 20],
    variance: [1, 100],
    count: [2],
  });
  const words =
    'Normalization norm: stock tf.js has no such layer. ' +
    'Received: class_name="Normalization"';
  await expectNoStock(model, words);
  model.dispose();
  converted.dispose();
});
