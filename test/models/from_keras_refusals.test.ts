// What cannot be loaded as Keras means it, or at all, is an error that says so, and
// leaves nothing behind.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, fromKeras} from 'tfjs-normalization';
import {artifactsOf} from '../support/memory_model.js';
import {warnings} from '../support/warnings.js';
import {handlerOf} from './keras_models.js';

type Json = Record<string, unknown>;

const T = (layer: string, call = 0, output = 0): Json => ({
  class_name: '__keras_tensor__',
  config: {shape: [null, 4], keras_history: [layer, call, output]},
});

const input = (name = 'in', shape: unknown = [null, 4]): Json => ({
  class_name: 'InputLayer',
  name,
  config: {batch_shape: shape, dtype: 'float32', name},
  inbound_nodes: [],
});

const layer = (
  className: string,
  config: Json = {},
  from: Json | Json[] = T('in'),
  kwargs: Json = {},
): Json => {
  const name = (config.name as string | undefined) ?? 'x';
  const inbound = [{args: [from], kwargs}];
  return {
    class_name: className,
    name,
    config: {name, ...config},
    inbound_nodes: inbound,
  };
};

const model = (layers: Json[], output = 'x', more: Json = {}): Json => ({
  class_name: 'Functional',
  config: {
    name: 'm',
    layers: [input(), ...layers],
    input_layers: ['in', 0, 0],
    output_layers: [output, 0, 0],
    ...more,
  },
});

async function load(
  modelTopology: unknown,
  more: tf.io.ModelArtifacts = {},
): Promise<tf.LayersModel> {
  const artifacts = {modelTopology: modelTopology as object, ...more};
  return tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
}

async function expectRefused(
  topology: unknown,
  message: string,
  more: tf.io.ModelArtifacts = {},
): Promise<void> {
  const before = tf.memory().numTensors;
  await expect(load(topology, more)).rejects.toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
  expect(warnings()).toEqual([]);
}

class Mine extends tf.layers.Layer {
  static readonly className = 'Mine';
}
tf.serialization.registerClass(Mine);

describe('fromKeras refuses, naming the layer and the option,', () => {
  const bn = (config: Json): Json => layer('BatchNormalization', config);

  it.each([
    ['renorm', bn({renorm: true}), 'BatchNorm x: renorm ', 'renorm=true'],
    [
      'what is never left open',
      bn({epsilon: null}),
      'BatchNormalization x: epsilon is not given',
      'epsilon=null',
    ],
    ['an unknown key', bn({whitening: 2}), 'unknown option whitening', '=2'],
    ['a dtype', bn({dtype: 'int8'}), 'BatchNormalization x: ', 'dtype="int8"'],
    [
      'rms_scaling',
      layer('LayerNormalization', {rms_scaling: true}),
      'LayerNorm x: rmsScaling ',
      'rmsScaling=true',
    ],
    [
      'a regularizer that tf.js does not have',
      bn({
        gamma_regularizer: {class_name: 'OrthogonalRegularizer', config: {}},
      }),
      'BatchNormalization x: tf.js has no such gamma_regularizer',
      'gamma_regularizer={"class_name":"OrthogonalRegularizer","config":{}}',
    ],
    ...[
      'GroupNormalization',
      'RMSNormalization',
      'UnitNormalization',
      'SpectralNormalization',
      'Normalization',
      'InstanceNormalization',
    ].map((name): [string, Json, string, string] => [
      name,
      layer(name),
      `${name} x: this normalization is not available in this version`,
      `class_name="${name}"`,
    ]),
    [
      'an addon, by the name it is registered under',
      {
        ...layer('InstanceNormalization'),
        registered_name: 'Addons>InstanceNormalization',
      },
      'Addons>InstanceNormalization x: this normalization',
      'class_name="Addons>InstanceNormalization"',
    ],
    [
      'a layer that tf.js does not have',
      layer('Subtract'),
      'Subtract x: tf.js has no such layer',
      'class_name="Subtract"',
    ],
    [
      'what is the name of something else in tf.js',
      layer('Identity'),
      'Identity x: tf.js has no such layer',
      'class_name="Identity"',
    ],
    [
      'what every object has',
      layer('toString'),
      'toString x: tf.js has no such layer',
      'class_name="toString"',
    ],
    [
      'hard_sigmoid, which is another function in Keras 3',
      layer('Activation', {activation: 'hard_sigmoid'}),
      'Activation x: tf.js has no such activation',
      'activation="hard_sigmoid"',
    ],
    [
      'an activation that is a layer',
      layer('Dense', {
        units: 2,
        activation: {class_name: 'ReLU', config: {max_value: 6}},
      }),
      'Dense x: tf.js has no such activation',
      'activation={"class_name":"ReLU","config":{"max_value":6}}',
    ],
    [
      'a threshold of ReLU',
      layer('ReLU', {threshold: 1}),
      'ReLU x: tf.js has no such threshold',
      'threshold=1',
    ],
    [
      'bilinear upsampling',
      layer('UpSampling2D', {interpolation: 'bilinear'}),
      'UpSampling2D x: tf.js has no such interpolation',
      'interpolation="bilinear"',
    ],
    [
      'GRU as Keras has it by default',
      layer('GRU', {units: 2, reset_after: true}),
      'GRU x: tf.js has no such reset_after',
      'reset_after=true',
    ],
    [
      'an option that tf.js does not know',
      layer('Dense', {units: 2, lora_rank: 4}),
      'Dense x: tf.js has no lora_rank',
      'lora_rank=4',
    ],
    [
      'training where it is chance',
      layer('Dropout', {rate: 0.5}, T('in'), {training: true}),
      'Dropout x: tf.js cannot have it draw at random in prediction',
      'training=true',
    ],
    [
      'an argument of a call',
      layer('Softmax', {}, T('in'), {temperature: 2}),
      'Softmax x: tf.js cannot call it with this argument',
      'temperature=2',
    ],
    [
      'softmax over another axis than the last',
      layer('Softmax', {axis: 0}),
      'Softmax x: tf.js has softmax over the last axis only',
      'axis=0',
    ],
    [
      'training of a layer of the user',
      layer('Mine', {}, T('in'), {training: true}),
      'Mine x: it is called with training',
      'training=true',
    ],
    [
      'tensors of unlike rank',
      layer('Add', {}, [
        T('in'),
        {...T('in'), config: {...(T('in').config as Json), shape: [4]}},
      ]),
      'Add x: tf.js merges tensors of one rank only',
      'shapes=[[null,4],[4]]',
    ],
    [
      'a constraint that tf.js does not have',
      layer('Dense', {
        units: 2,
        kernel_constraint: {class_name: 'RadialConstraint', config: {}},
      }),
      'Dense x: tf.js has no such kernel_constraint',
      'kernel_constraint={"class_name":"RadialConstraint","config":{}}',
    ],
    [
      'a constraint that is none',
      layer('Dense', {units: 2, kernel_constraint: 'tight'}),
      'Dense x: tf.js has no such kernel_constraint',
      'kernel_constraint="tight"',
    ],
    [
      'a regularizer that is none',
      layer('Dense', {units: 2, kernel_regularizer: {class_name: 3}}),
      'Dense x: tf.js has no such kernel_regularizer',
      'kernel_regularizer={"class_name":3}',
    ],
    [
      'an initializer of the user, without weights',
      layer('Dense', {
        units: 2,
        kernel_initializer: {class_name: 'Mine', config: {}},
      }),
      'Dense x: tf.js has no such kernel_initializer',
      'kernel_initializer={"class_name":"Mine","config":{}}',
    ],
    [
      'kept axes of pooling after the channels',
      layer('GlobalMaxPooling2D', {
        keepdims: true,
        data_format: 'channels_first',
      }),
      'GlobalMaxPooling2D x: tf.js keeps these axes before the channels only',
      'keepdims=true',
    ],
    [
      'pooling that keeps its axes in a wrapper',
      layer('TimeDistributed', {
        layer: {
          class_name: 'GlobalMaxPooling1D',
          config: {name: 'pool', keepdims: true},
        },
      }),
      'GlobalMaxPooling1D pool: tf.js needs several layers for it',
      'config={"name":"pool","keepdims":true}',
    ],
    [
      'two directions that are unlike',
      layer('Bidirectional', {
        layer: {class_name: 'LSTM', config: {name: 'f', units: 2}},
        backward_layer: {class_name: 'LSTM', config: {name: 'b', units: 3}},
      }),
      'Bidirectional x: tf.js has no backward layer',
      'backward_layer={"name":"b","units":3',
    ],
    [
      'training that is neither true nor false',
      layer('BatchNormalization', {}, T('in'), {training: 'yes'}),
      'BatchNormalization x: training is neither true nor false',
      'training="yes"',
    ],
    [
      'states that are no tensors',
      layer('LSTM', {units: 2}, T('in'), {initial_state: [1]}),
      'LSTM x: a state is no tensor',
      'initial_state=[1]',
    ],
    [
      'sparse input',
      {...input('x'), config: {...(input('x').config as Json), sparse: true}},
      'InputLayer x: tf.js has dense inputs only',
      'sparse=true',
    ],
    [
      'input that tf.js does not have',
      {...input('x'), config: {...(input('x').config as Json), dtype: 'half'}},
      'InputLayer x: tf.js has no such input',
      'dtype="half"',
    ],
    [
      'a call that is none',
      {...layer('ReLU'), inbound_nodes: [3]},
      'ReLU x: inbound_nodes is malformed',
      'node=3',
    ],
    [
      'calls that are none',
      {...layer('ReLU'), inbound_nodes: 3},
      'ReLU x: inbound_nodes is no list',
      'inbound_nodes=3',
    ],
    [
      'arguments that are none',
      {...layer('ReLU'), inbound_nodes: [{args: 3}]},
      'ReLU x: the arguments of a call are malformed',
      'node={"args":3}',
    ],
    [
      'arguments of Keras 2 that are none',
      {...layer('ReLU'), inbound_nodes: [[['in', 0, 0, 3]]]},
      'ReLU x: the arguments of a call are no object',
      '3',
    ],
    [
      'a tensor that is none',
      {...layer('ReLU'), inbound_nodes: [[['in', 'first', 0, {}]]]},
      'ReLU x: a tensor is no [layer, node, tensor]',
      'tensor=["in","first",0,{}]',
    ],
    [
      'a mask that no layer hands on',
      layer('LSTM', {units: 2}, T('in'), {mask: T('in')}),
      'LSTM x: tf.js hands on masks by itself, and no other can be given',
      'mask="in"',
    ],
  ])('%s', async (_, wrong, message, received) => {
    await expectRefused(model([wrong]), message);
    await expectRefused(model([wrong]), `Received: `);
    await expect(load(model([wrong]))).rejects.toThrow(received);
  });

  it('one layer called in two ways', async () => {
    const calls = [null, true].map((training, i) => ({
      args: [i === 0 ? T('in') : T('x')],
      kwargs: {training},
    }));
    const twice = {...layer('BatchNormalization'), inbound_nodes: calls};
    await expectRefused(
      model([twice], 'x', {output_layers: ['x', 1, 0]}),
      'BatchNormalization x: it is called with more than one value of ' +
        'training. Received: training=[null,true]',
    );
  });

  it('chance in a model that is called with training', async () => {
    const inner = {
      ...model([layer('Dropout', {rate: 0.5, name: 'drop'})], 'drop'),
      name: 'x',
      inbound_nodes: [{args: [T('in')], kwargs: {training: true}}],
    };
    await expectRefused(
      model([inner]),
      'Dropout drop: tf.js cannot have it draw at random in prediction. ' +
        'Received: training=true',
    );
  });
});

describe('a file that is none', () => {
  it.each([
    ['no topology', undefined, 'fromKeras: there is no model topology'],
    ['a list', [], 'fromKeras: there is no model topology'],
    ['nothing in it', {}, 'fromKeras: class_name is no text'],
    [
      'a class of the user',
      {class_name: 'MyModel', config: {}},
      'fromKeras: only sequential and functional models can be loaded',
    ],
    [
      'no layers',
      {class_name: 'Sequential', config: {name: 's', layers: []}},
      'Sequential s: it has no layers',
    ],
    ['no outputs', model([layer('ReLU')], 'x', {output_layers: []}), 'outputs'],
    ['a text', 'Functional', 'no model topology'],
    ['a config that is none', {model_config: 3}, 'model_config is no object'],
    [
      'a layer that is none',
      model([3 as unknown as Json]),
      'one of its layers',
    ],
    [
      'two layers of one name',
      model([layer('ReLU'), layer('ReLU')]),
      'Functional m: two of its layers have one name. Received: name="x"',
    ],
    [
      'an input that is none',
      model([layer('ReLU')], 'x', {input_layers: ['x', 0, 0]}),
      'Functional m: an input is no InputLayer. Received: input="x"',
    ],
    [
      'an input without a shape',
      model([layer('ReLU')], 'x', {
        layers: [input('in', 'wide'), layer('ReLU')],
      }),
      'InputLayer in: its shape is none. Received: batch_shape="wide"',
    ],
  ])('%s', async (_, topology, message) => {
    await expectRefused(topology, message);
  });

  it.each([
    ['a layer that is not there', layer('ReLU', {}, T('out')), 'no layer out'],
    [
      'itself',
      layer('ReLU', {}, T('x')),
      'its input depends on its own output',
    ],
    ['a call too many', layer('ReLU', {}, T('in', 3)), 'not called as often'],
    ['a tensor too many', layer('ReLU', {}, T('in', 0, 3)), 'fromKeras: tf.js'],
    ['what every object has', layer('ReLU', {}, T('toString')), 'no layer'],
    ['nothing', layer('ReLU', {}, []), 'it is called on nothing'],
  ])('a layer on %s', async (_, wrong, message) => {
    await expectRefused(model([wrong]), message);
  });

  it('layers in a circle', async () => {
    const circle = ['a', 'b', 'c'].map((name, i, all) =>
      layer('Add', {name}, [T('in'), T(all[(i + 1) % 3] ?? '')]),
    );
    await expectRefused(model(circle, 'a'), 'depends on its own output');
  });

  it('a thousand layers, one after the other, are no circle', async () => {
    const names = Array.from({length: 1000}, (_, i) => `r${i}`);
    const chain = names.map((name, i) =>
      layer('Dropout', {name, rate: 0}, T(names[i + 1] ?? 'in')),
    );
    const loaded = await load(model(chain, 'r0'));
    expect(loaded.layers).toHaveLength(1001);
  });

  it('a prototype that JSON would change', async () => {
    for (const key of ['__proto__', 'constructor', 'prototype']) {
      const json = JSON.parse(
        JSON.stringify(model([layer('ReLU')])).replace('"rate"', `"${key}"`),
      ) as Json;
      const config = JSON.parse(`{"name":"x","${key}":{"polluted":1}}`) as Json;
      await expectRefused(
        {...json, ...model([{...layer('ReLU'), config}])},
        `fromKeras: the JSON has a forbidden key. Received: key="${key}"`,
      );
    }
    expect(({} as Json).polluted).toBeUndefined();
  });

  it('JSON that is nested without end', async () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown;
    await expectRefused({class_name: deep}, 'the JSON is nested too deeply');
  });
});

describe('weights that do not fit', () => {
  const BIG = 2 ** 40;

  async function dense(): Promise<tf.io.ModelArtifacts> {
    const layers = [
      tf.layers.dense({units: 2, inputShape: [3], name: 'd'}),
      batchNorm({name: 'n'}),
    ];
    return artifactsOf(tf.sequential({layers}));
  }

  type Change = (artifacts: {
    -readonly [K in keyof tf.io.ModelArtifacts]: tf.io.ModelArtifacts[K];
  }) => void;

  it.each<[string, Change, string]>([
    [
      'too few bytes',
      (a) => (a.weightData = new ArrayBuffer(8)),
      'fromKeras: the weights take 64 bytes, and there are 8. Received: ',
    ],
    [
      'too many bytes',
      (a) => (a.weightData = [new ArrayBuffer(64), new ArrayBuffer(8)]),
      'the weights take 64 bytes, and there are 72',
    ],
    [
      'one that is missing',
      (a) => {
        a.weightSpecs = a.weightSpecs?.slice(0, -1);
        a.weightData = new ArrayBuffer(56);
      },
      'fromKeras: tf.js cannot build the model (it has more weights than',
    ],
    [
      'one that only has a place in an optimizer',
      (a) => rename(a, 'n/gamma', 'optimizer/gamma'),
      'fromKeras: 1 of 6 weights are missing. Received: missing=["n/gamma"]',
    ],
    [
      'more numbered ones than a layer takes',
      (a) => {
        a.weightSpecs?.forEach((spec, i) => {
          spec.name = `layers/dense/vars/${i}`;
        });
      },
      'fromKeras: the layer d takes 2 weights. Received: weights=',
    ],
    [
      'a numbered one of a model',
      (a) => {
        for (const spec of a.weightSpecs ?? []) spec.name = 'vars/0';
      },
      'the file has a weight that no layer takes. Received: name="vars/0"',
    ],
    [
      'a numbered one of an attribute that no layer has',
      (a) => {
        for (const spec of a.weightSpecs ?? []) {
          spec.name = 'layers/dense/kernel_holder/vars/0';
        }
      },
      'the file has a weight that no layer takes. Received: name="layers/dense',
    ],
    [
      'one that is quantized in no way',
      (a) => {
        for (const spec of a.weightSpecs ?? []) {
          spec.quantization = 'half' as unknown as typeof spec.quantization;
        }
      },
      'fromKeras: a weight has no valid name, shape and dtype',
    ],
    [
      'one that nothing takes',
      (a) => rename(a, 'n/gamma', 'n/delta'),
      'the file has a weight that no layer takes. Received: name="n/delta"',
    ],
    [
      'one that is there twice',
      (a) => rename(a, 'n/gamma', 'n/beta'),
      'the file has a weight that no layer takes. Received: name="n/beta"',
    ],
    [
      'another shape',
      (a) => reshape(a, 'd/kernel', [2, 3]),
      'the weight d/kernel is to be float32 of shape [3, 2]. Received: d/kernel',
    ],
    [
      'no shape',
      (a) => reshape(a, 'd/kernel', [-3, -2]),
      'fromKeras: a weight has no valid name, shape and dtype',
    ],
    [
      'a shape without end',
      (a) => reshape(a, 'd/kernel', [BIG, BIG]),
      'fromKeras: the weights take ',
    ],
    [
      'another dtype',
      (a) => {
        for (const spec of a.weightSpecs ?? []) spec.dtype = 'int32';
      },
      'is to be float32 of shape',
    ],
    [
      'a model that would fill the memory',
      (a) => {
        const text = JSON.stringify(a.modelTopology);
        a.modelTopology = JSON.parse(
          text.replace('"units":2', `"units":${BIG}`),
        ) as object;
      },
      'it has more weights than there are values for, one of shape [3, ',
    ],
    [
      'training that tf.js cannot have',
      (a) => {
        a.trainingConfig = {
          optimizer_config: {class_name: 'Lion', config: {}},
          loss: 'mean_squared_error',
        };
      },
      'fromKeras: tf.js cannot compile the model (',
    ],
  ])('%s', async (_, change, message) => {
    const artifacts = await dense();
    change(artifacts);
    const {modelTopology, ...rest} = artifacts;
    await expectRefused(modelTopology, message, rest);
  });

  it('are told from those of other models', async () => {
    const artifacts = await dense();
    artifacts.weightSpecs = artifacts.weightSpecs?.map((spec) => ({
      ...spec,
      name: `layers/dense_1/vars/${spec.name.length}`,
    }));
    const {modelTopology, ...rest} = artifacts;
    await expectRefused(
      modelTopology,
      'the file has a weight that no layer takes. Received: ' +
        'name="layers/dense_1/vars/',
      rest,
    );
  });

  function rename(a: tf.io.ModelArtifacts, from: string, to: string): void {
    for (const spec of a.weightSpecs ?? []) {
      if (spec.name === from) spec.name = to;
    }
  }

  function reshape(
    a: tf.io.ModelArtifacts,
    name: string,
    shape: number[],
  ): void {
    for (const spec of a.weightSpecs ?? []) {
      if (spec.name === name) spec.shape = shape;
    }
  }
});
