// Layers of Keras that become others in tf.js, or several.
import * as tf from '@tensorflow/tfjs';
import {trainsStockLayers} from '../../support/stock_training.js';
import {difference, randomTensor, valuesOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {
  expectRefused,
  input,
  type Json,
  layer,
  load,
  model,
  T,
} from './keras_json.js';

const IMAGE = [null, 4, 5, 3];

/** A model of images, or of something else, with these layers. */
const modelOf = (layers: Json[], shape: unknown = IMAGE): Json => {
  const json = model(layers, String(layers[layers.length - 1]?.name));
  const config = json.config as Json;
  const rest = (config.layers as Json[]).slice(1);
  return {...json, config: {...config, layers: [input('in', shape), ...rest]}};
};

/** Trains one step, and gives how much the weights of a layer moved. */
async function step(model: tf.LayersModel, name: string): Promise<number> {
  trainsStockLayers();
  const x = randomTensor(
    [4, ...(model.inputs[0]?.shape.slice(1) as number[])],
    1,
  );
  const y = randomTensor(
    [4, ...(model.outputs[0]?.shape.slice(1) as number[])],
    7,
  );
  const read = (): number[] =>
    model.getLayer(name).getWeights().map(valuesOf).flat();
  const before = read();
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const loss = await model.trainOnBatch(x, y);
  expect(loss).toBeLessThan(Infinity);
  return Math.max(
    ...read().map((value, i) => Math.abs(value - (before[i] ?? 0))),
  );
}

describe('F15: pooling that keeps its axes', () => {
  const dense = layer('Dense', {name: 'first', units: 3});
  const pooled = (className: string, more: Json = {}): Json =>
    layer(className, {name: 'pool', keepdims: true, ...more}, T('first'));

  it.each([
    ['GlobalAveragePooling2D', {}, [null, 1, 1, 3]],
    ['GlobalMaxPooling2D', {}, [null, 1, 1, 3]],
    ['GlobalMaxPooling2D', {data_format: 'channels_first'}, [null, 4, 1, 1]],
  ])('%s %j can be trained', async (className, more, shape) => {
    const read = await load(modelOf([dense, pooled(className, more)]));
    expect(read.outputs[0]?.shape).toEqual(shape);
    expect(await step(read, 'first')).toBeGreaterThan(0);
  });

  it.each(['GlobalAveragePooling1D', 'GlobalMaxPooling1D'])(
    '%s can be trained, and what is built on it',
    async (className) => {
      const layers = [
        dense,
        pooled(className),
        layer('BatchNormalization', {name: 'norm'}, T('pool')),
        layer('Dense', {name: 'last', units: 2}, T('norm')),
      ];
      const read = await load(modelOf(layers, [null, 5, 4]));
      expect(read.outputs[0]?.shape).toEqual([null, 1, 2]);
      expect(await step(read, 'first')).toBeGreaterThan(0);
    },
  );

  it('squeezes and excites, whatever the size of the image', async () => {
    const layers = [
      dense,
      pooled('GlobalAveragePooling2D'),
      layer(
        'Dense',
        {name: 'gate', units: 3, activation: 'sigmoid'},
        T('pool'),
      ),
      layer('Multiply', {name: 'scaled'}, [T('first'), T('gate')]),
      layer('GlobalMaxPooling2D', {name: 'last'}, T('scaled')),
    ];
    const read = await load(modelOf(layers, [null, null, null, 3]));
    const x = randomTensor([2, 7, 3, 3], 1);
    expect((read.predict(x) as tf.Tensor).shape).toEqual([2, 3]);
    trainsStockLayers();
    read.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const before = valuesOf(
      read.getLayer('first').getWeights()[0] as tf.Tensor,
    );
    await read.trainOnBatch(x, tf.ones([2, 3]));
    const after = valuesOf(read.getLayer('first').getWeights()[0] as tf.Tensor);
    expect(after).not.toEqual(before);
  });

  it('is used twice', async () => {
    const twice = {
      ...pooled('GlobalAveragePooling2D'),
      inbound_nodes: [{args: [T('first')]}, {args: [T('in')]}],
    };
    const sum = layer('Add', {name: 'sum'}, [T('pool', 1), T('pool', 0)]);
    const read = await load(modelOf([dense, twice, sum]));
    expect(await step(read, 'first')).toBeGreaterThan(0);
  });

  it('is one of a kind with a Reshape that works out a length', async () => {
    const layers = [
      layer('Reshape', {name: 'rows', target_shape: [4, -1]}),
      layer('Dense', {name: 'first', units: 2}, T('rows')),
      layer('BatchNormalization', {name: 'norm'}, T('first')),
    ];
    const read = await load(modelOf(layers));
    expect(read.getLayer('rows').outputShape).toEqual([null, 4, 15]);
    expect(await step(read, 'first')).toBeGreaterThan(0);
  });

  it('leaves a length open that only the data tells', async () => {
    const layers = [
      layer('Reshape', {name: 'rows', target_shape: [-1, 3]}),
      layer('Dense', {name: 'first', units: 2}, T('rows')),
    ];
    const read = await load(modelOf(layers, [null, null, null, 3]));
    const y = read.predict(tf.ones([1, 2, 5, 3])) as tf.Tensor;
    expect(y.shape).toEqual([1, 10, 2]);
  });
});

describe('F15: layers that tf.js cannot train, which loading says', () => {
  const conv = {filters: 2, kernel_size: 2};

  it.each<[string, Json, number[]]>([
    ['Conv2D', {...conv, dilation_rate: 2}, [5, 5, 3]],
    ['Conv3D', {...conv, dilation_rate: [1, 2, 1]}, [5, 5, 5, 2]],
    ['Conv3DTranspose', conv, [3, 3, 3, 2]],
  ])('%s %j', async (className, config, shape) => {
    const layers = [layer(className, {name: 'first', ...config})];
    const read = await load(modelOf(layers, [null, ...shape]));
    expect(warnings()).toEqual([
      `fromKeras: tf.js predicts with it and cannot train it: ${className} first`,
    ]);
    await expect(step(read, 'first')).rejects.toThrow();
  });

  it.each<[string, Json, number[]]>([
    ['LSTM', {units: 2}, [1, 3]],
    ['Masking', {mask_value: 0}, [2, 3]],
  ])('%s, after others', async (className, config, shape) => {
    const layers = [
      layer('Dense', {name: 'first', units: 3}),
      layer(className, {name: 'second', ...config}, T('first')),
    ];
    const read = await load(modelOf(layers, [null, ...shape]));
    const ofTraining = warnings().filter((text) =>
      text.includes('cannot train'),
    );
    expect(ofTraining).toEqual([
      'fromKeras: tf.js predicts with it and cannot train what comes before ' +
        `it: ${className} second`,
    ]);
    await expect(step(read, 'first')).rejects.toThrow();
  });

  it('is not said of a first layer', async () => {
    const layers = [layer('LSTM', {name: 'first', units: 2})];
    const read = await load(modelOf(layers, [null, 1, 3]));
    expect(warnings()).toEqual([]);
    expect(await step(read, 'first')).toBeGreaterThan(0);
  });

  it('is not said of others', async () => {
    await load(modelOf([layer('Conv2D', {...conv, dilation_rate: [1, 1]})]));
    expect(warnings()).toEqual([]);
  });
});

describe('F10: layers that act in training only', () => {
  it.each([
    ['RandomFlip', {mode: 'horizontal', seed: 3, data_format: 'channels_last'}],
    ['RandomRotation', {factor: [-0.2, 0.2], fill_mode: 'reflect'}],
    ['RandomZoom', {height_factor: 0.2, width_factor: null}],
    ['RandomTranslation', {height_factor: 0.2, width_factor: 0.1}],
    ['RandomContrast', {factor: 0.3, value_range: [0, 255]}],
    ['RandomBrightness', {factor: 0.3, rng_type: null}],
    ['RandomWidth', {factor: 0.3}],
    ['RandomHeight', {factor: 0.3}],
    ['SpatialDropout2D', {rate: 0.5, data_format: null}],
    ['ActivityRegularization', {l1: 0, l2: 0.1}],
  ])('%s is left out with a warning', async (className, config) => {
    const layers = [
      layer('Dense', {name: 'first', units: 3}),
      layer(className, {name: 'random', ...config}, T('first')),
      layer('BatchNormalization', {name: 'norm'}, T('random')),
    ];
    const read = await load(modelOf(layers));
    expect(warnings()).toEqual([
      'fromKeras: left out layers that act only in training and that ' +
        `tf.js lacks: ${className} random`,
    ]);
    const x = randomTensor([2, 4, 5, 3], 1);
    const plain = await load(
      modelOf([layers[0] as Json, layer('BatchNormalization', {}, T('first'))]),
    );
    plain.setWeights(read.getWeights());
    const [a, b] = [read, plain].map((each) => each.predict(x) as tf.Tensor);
    expect(difference(a as tf.Tensor, b as tf.Tensor)).toBe(0);
    expect(await step(read, 'first')).toBeGreaterThan(0);
  });

  it('makes floats of images that are numbers from 0 to 255', async () => {
    const flip = layer('RandomFlip', {name: 'flip'});
    const conv = {name: 'conv', filters: 2, kernel_size: 1};
    const json = modelOf([flip, layer('Conv2D', conv, T('flip'))]);
    const [first] = (json.config as {layers: Json[]}).layers;
    (first?.config as Json).dtype = 'uint8';
    const read = await load(json);
    const x = tf.ones([1, 4, 5, 3], 'int32');
    expect((read.predict(x) as tf.Tensor).shape).toEqual([1, 4, 5, 2]);
  });

  it('says nothing of Identity', async () => {
    await load(modelOf([layer('Identity')]));
    expect(warnings()).toEqual([]);
  });

  it('is as the first layer what tells the shape of the input', async () => {
    const config = {name: 'flip', batch_input_shape: IMAGE, dtype: 'float32'};
    const layers = [
      {class_name: 'RandomFlip', config},
      {class_name: 'Flatten', config: {name: 'flat'}},
    ];
    const read = await load({
      class_name: 'Sequential',
      config: {name: 's', layers},
    });
    expect(read.outputs[0]?.shape).toEqual([null, 60]);
  });

  it('refuses a layer that must act in prediction', async () => {
    const flip = layer('RandomFlip', {name: 'flip'}, T('in'), {training: true});
    await expectRefused(
      modelOf([flip]),
      'RandomFlip flip: tf.js does not have this layer, which is active ' +
        'in prediction here. Received: training=true',
    );
  });

  it('refuses one that crops in prediction, too', async () => {
    await expectRefused(
      modelOf([layer('RandomCrop', {height: 2, width: 2})]),
      'RandomCrop x: tf.js has no such layer',
    );
  });
});

describe('F20: operations of TensorFlow in files of Keras 2', () => {
  const operation = (
    name: string,
    y: unknown,
    x: unknown[] = ['in', 0, 0],
  ): Json => ({
    class_name: 'TFOpLambda',
    name: 'x',
    config: {name: 'x', trainable: true, dtype: 'float32', function: name},
    inbound_nodes: [[...x, {y, name: null}]],
  });
  const shifted = layer('Rescaling', {name: 'shifted', scale: 2, offset: 1});

  it.each<[string, (x: tf.Tensor, y: tf.Tensor) => tf.Tensor]>([
    ['__operators__.add', tf.add],
    ['math.add', tf.add],
    ['math.multiply', tf.mul],
    ['math.maximum', tf.maximum],
    ['math.minimum', tf.minimum],
  ])('%s of two tensors', async (name, compute) => {
    const read = await load(
      model([shifted, operation(name, ['shifted', 0, 0])]),
    );
    const x = randomTensor([3, 4], 1);
    const expected = compute(x, tf.add(tf.mul(x, 2), 1));
    const y = read.predict(x) as tf.Tensor;
    expect(difference(y, expected)).toBeLessThan(1e-6);
  });

  it('of a tensor with itself', async () => {
    const read = await load(model([operation('math.multiply', ['in', 0, 0])]));
    const x = randomTensor([3, 4], 1);
    const y = read.predict(x) as tf.Tensor;
    expect(difference(y, tf.square(x))).toBeLessThan(1e-6);
  });

  it.each([
    ['a number', operation('math.add', 1), 'y=1'],
    [
      'a number before it',
      operation('math.multiply', ['in', 0, 0], ['_CONSTANT_VALUE', -1, 2]),
      'x=2',
    ],
  ])('refuses %s', async (_, json, received) => {
    await expectRefused(
      model([json]),
      `x: tf.js cannot call it with this argument. Received: ${received}`,
    );
  });

  it('refuses tensors of unlike rank, which tf.js aligns otherwise', async () => {
    const wide = layer('RepeatVector', {name: 'wide', n: 4});
    await expectRefused(
      model([wide, operation('__operators__.add', ['wide', 0, 0])]),
      'Add x: tf.js merges only tensors of the same rank. Received: ' +
        'shapes=[[null,4],[null,4,4]]',
    );
  });

  it('refuses other operations', async () => {
    await expectRefused(
      model([operation('math.subtract', ['in', 0, 0])]),
      'TFOpLambda x: ',
    );
  });
});

describe('F20: output_padding', () => {
  const deconvolution = (config: Json): Json =>
    modelOf([layer('Conv2DTranspose', {filters: 2, ...config})]);

  it.each([
    ['same', [3, 3], [2, 2], 1],
    ['same', [3, 3], [2, 2], [1, 1]],
    ['valid', [1, 3], [2, 2], [1, 0]],
    ['valid', [2, 2], [2, 2], 0],
    ['same', [3, 3], [1, 1], null],
  ])('is left out where tf.js has it: %s %j %j %j', async (...given) => {
    const [padding, kernel, strides, output] = given;
    const config = {padding, kernel_size: kernel, strides};
    const read = await load(deconvolution({...config, output_padding: output}));
    const plain = await load(deconvolution(config));
    expect(read.outputs[0]?.shape).toEqual(plain.outputs[0]?.shape);
  });

  it.each([
    ['same', [2, 2], [2, 2], 1],
    ['same', [3, 3], [2, 2], 0],
    ['valid', [2, 2], [2, 2], 1],
    ['valid', [1, 3], [2, 2], [0, 1]],
  ])(
    'is refused where it makes another size: %s %j %j %j',
    async (...given) => {
      const [padding, kernel, strides, output] = given;
      const config = {padding, kernel_size: kernel, strides};
      await expectRefused(
        deconvolution({...config, output_padding: output}),
        'Conv2DTranspose x: tf.js has no such output_padding. Received: ' +
          `output_padding=${JSON.stringify(output)}`,
      );
    },
  );
});
