// Options that tf.js cannot honour as Keras does give an error that names the
// layer and the option, and leak nothing.
import * as tf from '@tensorflow/tfjs';
import {
  expectRefused,
  input,
  type Json,
  layer,
  load,
  model,
  T,
} from './keras_json.js';

class Mine extends tf.layers.Layer {
  static readonly className = 'Mine';
}
tf.serialization.registerClass(Mine);

describe('fromKeras refuses, naming the layer and the option,', () => {
  const bn = (config: Json): Json => layer('BatchNormalization', config);

  it.each([
    [
      // tf-keras writes its axis one too high, and cannot load it itself.
      'virtual_batch_size',
      bn({virtual_batch_size: 2}),
      'BatchNormalization x: virtualBatchSize cannot be loaded from a file of Keras',
      'virtualBatchSize=2',
    ],
    [
      'unknown bounds of renorm',
      bn({renorm: true, renorm_clipping: {rmix: 2}}),
      'BatchNorm x: renormClipping must have finite numbers',
      'renormClipping={"rmix":2}',
    ],
    [
      'null for an option that Keras never leaves open',
      bn({epsilon: null}),
      'BatchNormalization x: epsilon is not given',
      'epsilon=null',
    ],
    ['an unknown key', bn({whitening: 2}), 'unknown option whitening', '=2'],
    ['a dtype', bn({dtype: 'int8'}), 'BatchNormalization x: ', 'dtype="int8"'],
    [
      'a scale for each channel that no normalization has',
      layer('Rescaling', {scale: [1, -1], offset: 0}),
      'Rescaling x: tf.js has no such scale',
      'scale=[1,-1]',
    ],
    [
      'scales and offsets of different lengths',
      layer('Rescaling', {scale: [1, 2], offset: [0, 1, 2]}),
      'Rescaling x: tf.js has no such scale',
      'scale=[1,2]',
    ],
    [
      'a normalization with a mean that does not fit',
      layer('Normalization', {axis: [-1], mean: [1, 2, 3, 4, 5], variance: 1}),
      'Normalization x: mean of shape [5] does not fit the kept axes',
      'mean=[1,2,3,4,5]',
    ],
    [
      'a regularizer that tf.js does not have',
      bn({
        gamma_regularizer: {class_name: 'OrthogonalRegularizer', config: {}},
      }),
      'BatchNormalization x: tf.js has no such gamma_regularizer',
      'gamma_regularizer={"class_name":"OrthogonalRegularizer","config":{}}',
    ],
    [
      'an addon, by its registered name',
      {
        ...layer('WeightNormalization'),
        registered_name: 'Addons>WeightNormalization',
      },
      'Addons>WeightNormalization x: this normalization',
      'class_name="Addons>WeightNormalization"',
    ],
    [
      'a layer that tf.js does not have',
      layer('Subtract'),
      'Subtract x: tf.js has no such layer',
      'class_name="Subtract"',
    ],
    [
      'a name of something else in tf.js',
      layer('Zeros'),
      'Zeros x: tf.js has no such layer',
      'class_name="Zeros"',
    ],
    [
      'a property of every object',
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
      'GRU with Keras’s default options',
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
      'training of a random layer',
      layer('Dropout', {rate: 0.5}, T('in'), {training: true}),
      'Dropout x: tf.js cannot keep this layer random in prediction',
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
      'Softmax x: tf.js has softmax only over the last axis',
      'axis=0',
    ],
    [
      'training of a custom layer',
      layer('Mine', {}, T('in'), {training: true}),
      'Mine x: it is called with training',
      'training=true',
    ],
    [
      'tensors of different ranks',
      layer('Add', {}, [
        T('in'),
        {...T('in'), config: {...(T('in').config as Json), shape: [4]}},
      ]),
      'Add x: tf.js merges only tensors of the same rank',
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
      'an invalid constraint',
      layer('Dense', {units: 2, kernel_constraint: 'tight'}),
      'Dense x: tf.js has no such kernel_constraint',
      'kernel_constraint="tight"',
    ],
    [
      'an invalid regularizer',
      layer('Dense', {units: 2, kernel_regularizer: {class_name: 3}}),
      'Dense x: tf.js has no such kernel_regularizer',
      'kernel_regularizer={"class_name":3}',
    ],
    [
      'a custom initializer, without weights',
      layer('Dense', {
        units: 2,
        kernel_initializer: {class_name: 'Mine', config: {}},
      }),
      'Dense x: tf.js has no such kernel_initializer',
      'kernel_initializer={"class_name":"Mine","config":{}}',
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
      'two directions that differ',
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
      'states that are not tensors',
      layer('LSTM', {units: 2}, T('in'), {initial_state: [1]}),
      'LSTM x: a state is not a tensor',
      'initial_state=[1]',
    ],
    [
      'sparse input',
      {...input('x'), config: {...(input('x').config as Json), sparse: true}},
      'InputLayer x: tf.js has only dense inputs',
      'sparse=true',
    ],
    [
      'input that tf.js does not have',
      {...input('x'), config: {...(input('x').config as Json), dtype: 'half'}},
      'InputLayer x: tf.js has no inputs of this dtype',
      'dtype="half"',
    ],
    [
      'a malformed call',
      {...layer('ReLU'), inbound_nodes: [3]},
      'ReLU x: inbound_nodes is malformed',
      'node=3',
    ],
    [
      'malformed calls',
      {...layer('ReLU'), inbound_nodes: 3},
      'ReLU x: inbound_nodes is not a list',
      'inbound_nodes=3',
    ],
    [
      'malformed arguments',
      {...layer('ReLU'), inbound_nodes: [{args: 3}]},
      'ReLU x: the arguments of a call are malformed',
      'node={"args":3}',
    ],
    [
      'malformed arguments of Keras 2',
      {...layer('ReLU'), inbound_nodes: [[['in', 0, 0, 3]]]},
      'ReLU x: the arguments of a call are not an object',
      '3',
    ],
    [
      'a malformed tensor',
      {...layer('ReLU'), inbound_nodes: [[['in', 'first', 0, {}]]]},
      'ReLU x: a tensor is not [layer, node, tensor]',
      'tensor=["in","first",0,{}]',
    ],
    [
      'a mask that no layer passes on',
      layer('LSTM', {units: 2}, T('in'), {mask: T('in')}),
      'LSTM x: tf.js passes masks on by itself, and cannot be given another',
      'mask="in"',
    ],
  ])('%s', async (_, wrong, message, received) => {
    await expectRefused(model([wrong]), message);
    await expectRefused(model([wrong]), `Received: `);
    await expect(load(model([wrong]))).rejects.toThrow(received);
  });

  it.each([
    [
      'F13: a nested output numbered as in calls',
      {output_layers: ['x', 0, 0]},
      'Functional m: a tensor is internal to x. Received: ' +
        'tensor=["x",0,0]',
    ],
    [
      'F13: a nested output beyond the calls',
      {output_layers: ['x', 2, 0]},
      'Functional m: the layer x is called fewer times. Received: ' +
        'input=["x",1,0]',
    ],
  ])('%s', async (_, ends, message) => {
    const inner = {
      ...model([layer('ReLU', {name: 'relu'})], 'relu'),
      name: 'x',
      inbound_nodes: [{args: [T('in')], kwargs: {}}],
    };
    await expectRefused(model([inner], 'x', ends), message);
  });

  it('F13: a model called with names other than those of its inputs', async () => {
    const inner = {
      ...model([layer('ReLU', {name: 'relu'})], 'relu'),
      name: 'x',
      inbound_nodes: [{args: [{other: T('in')}], kwargs: {}}],
    };
    await expectRefused(
      model([inner], 'x', {output_layers: ['x', 1, 0]}),
      'Functional x: it is called without its input in. Received: ' +
        'inputs=["other"]',
    );
  });

  it('one layer called with different arguments', async () => {
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

  it('a random layer in a model that is called with training', async () => {
    const inner = {
      ...model([layer('Dropout', {rate: 0.5, name: 'drop'})], 'drop'),
      name: 'x',
      inbound_nodes: [{args: [T('in')], kwargs: {training: true}}],
    };
    await expectRefused(
      model([inner], 'x', {output_layers: ['x', 1, 0]}),
      'Dropout drop: tf.js cannot keep this layer random in prediction. ' +
        'Received: training=true',
    );
  });
});
