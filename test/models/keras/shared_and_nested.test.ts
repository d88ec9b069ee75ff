// Layers of Keras inside models inside models, in JSON written by hand.
import {expectRefused, type Json, layer, load, model, T} from './keras_json.js';

const dense = (config: Json = {}): Json =>
  layer('Dense', {
    name: 'shared',
    units: 4,
    kernel_initializer: {class_name: 'GlorotUniform', config: {seed: null}},
    ...config,
  });

/** A model that calls a layer, and then a model with one of its name. */
const nested = (inner: Json): Json => {
  const within = model([inner], 'shared');
  const config = {...(within.config as Json), name: 'inside'};
  const called = {...within, name: 'inside', config};
  const inbound = [{args: [T('shared')], kwargs: {}}];
  return model([dense(), {...called, inbound_nodes: inbound}], 'inside', {
    // Keras 3 counts the calls of a model from 1 here.
    output_layers: ['inside', 1, 0],
  });
};

/** The weights of so many layers, as Keras 3 names them. */
const weightsOf = (names: readonly string[]) => ({
  weightSpecs: names.flatMap((name) => [
    {name: `${name}/kernel`, shape: [4, 4], dtype: 'float32' as const},
    {name: `${name}/bias`, shape: [4], dtype: 'float32' as const},
  ]),
  weightData: new ArrayBuffer(80 * names.length),
});

describe('a layer of a model, and of a model inside it', () => {
  it('is refused by name if its weights are there once', () =>
    expectRefused(
      nested(dense()),
      'Dense shared: it is in the models m and inside, and the file has too few ' +
        'weights for two layers; tf.js cannot share a layer between models, so give ' +
        'one of them a copy of the layer in Keras, with the same weights. ' +
        'Received: models=["m","inside"]',
      weightsOf(['shared']),
    ));

  it('may have the name of another', async () => {
    const loaded = await load(
      nested(dense({activation: 'tanh'})),
      weightsOf(['shared', 'inside/shared']),
    );
    expect(loaded.weights).toHaveLength(4);
    loaded.dispose();
  });

  it('is refused as ever where no layer is in both', () =>
    expectRefused(
      nested(dense({activation: 'tanh'})),
      'fromKeras: 2 of 4 weights are missing. Received: ',
      weightsOf(['shared']),
    ));
});

/** In Keras 2, a layer and its input. */
const call2 = (className: string, config: Json, from: string): Json => ({
  class_name: className,
  name: config.name,
  config,
  inbound_nodes: [[[from, 0, 0, {}]]],
});

/** Texts of words, each through a model, and a layer that a mask changes. */
const texts = (maskZero: boolean, version: string): Json => {
  const words = {
    class_name: 'InputLayer',
    config: {batch_input_shape: [null, 3], dtype: 'float32', name: 'words'},
  };
  const embedding = {
    class_name: 'Embedding',
    config: {
      ...{name: 'embed', input_dim: 5, output_dim: 2},
      mask_zero: maskZero,
    },
  };
  const each = {
    class_name: 'Sequential',
    config: {name: 'each', layers: [words, embedding]},
  };
  const shape = [null, 2, 3];
  return {
    keras_version: version,
    ...{
      class_name: 'Functional',
      config: {
        name: 'm',
        layers: [
          {
            class_name: 'InputLayer',
            name: 'in',
            config: {batch_input_shape: shape, dtype: 'float32', name: 'in'},
            inbound_nodes: [],
          },
          call2('TimeDistributed', {name: 'times', layer: each}, 'in'),
          call2('Softmax', {name: 'x', axis: -1}, 'times'),
        ],
        input_layers: [['in', 0, 0]],
        output_layers: [['x', 0, 0]],
      },
    },
  };
};

describe('a model in a TimeDistributed of Keras 2', () => {
  it('gives out its mask, as tf_keras’s compute_mask does', () =>
    expectRefused(
      texts(true, '2.15.0'),
      'Softmax x: tf.js applies masks to it differently; make the model without ' +
        'masks (mask_zero=False, no Masking) and train it anew. ' +
        'Received: mask="times"',
    ));

  it('is loaded if it has none', async () => {
    const loaded = await load(texts(false, '2.15.0'));
    expect(loaded.layers.map(({name}) => name)).toEqual(['in', 'times', 'x']);
    loaded.dispose();
  });
});
