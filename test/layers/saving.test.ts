import * as tf from '@tensorflow/tfjs';
import {batchNorm, batchNormDense, layerNorm} from 'tfjs-normalization';
import {artifactsOf, reload} from '../support/memory_model.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {
  difference,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../support/tensors.js';

const LAYERS: Array<[string, () => tf.layers.Layer]> = [
  ['BatchNorm', () => batchNorm({inputShape: [4, 3]})],
  [
    'BatchNorm with every option',
    () =>
      batchNorm({
        inputShape: [4, 3],
        axis: [-1, 1],
        momentum: 0.9,
        epsilon: 1e-5,
        movingAverage: 'cumulative',
        statistics: 'auto',
        unbiasedMovingVariance: true,
        gammaInitializer: tf.initializers.randomUniform({seed: 3}),
        gammaRegularizer: tf.regularizers.l2({l2: 0.1}),
        gammaConstraint: tf.constraints.unitNorm({axis: 0}),
        betaConstraint: 'nonNeg',
      }),
  ],
  [
    'BatchNorm without gamma and beta',
    () => batchNorm({inputShape: [4, 3], scale: false, center: false}),
  ],
  [
    'BatchNorm with renorm',
    () =>
      batchNorm({
        inputShape: [4, 3],
        axis: [-1, 1],
        movingAverage: 'cumulative',
        renorm: true,
        renormClipping: {rmin: 0.5, rmax: 2, dmax: 1},
        renormMomentum: 0.5,
      }),
  ],
  [
    'BatchNorm with virtual batches',
    () => batchNorm({inputShape: [4, 3], virtualBatchSize: 3}),
  ],
  ['LayerNorm', () => layerNorm({inputShape: [4, 3]})],
  [
    'LayerNorm with every option',
    () =>
      layerNorm({
        inputShape: [4, 3],
        axis: [2, 1],
        epsilon: 1e-5,
        center: false,
        gammaInitializer: tf.initializers.randomNormal({seed: 5}),
        gammaConstraint: tf.constraints.maxNorm({maxValue: 1, axis: 0}),
      }),
  ],
];

async function trained(layer: tf.layers.Layer): Promise<tf.Sequential> {
  trainsStockLayers();
  const model = tf.sequential();
  model.add(layer);
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({units: 2}));
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  await model.fit(randomTensor([8, 4, 3], 1), tf.ones([8, 2]), {
    epochs: 3,
    verbose: 0,
  });
  return model;
}

describe.each(LAYERS)('%s', (_, make) => {
  it('predicts the same, bit for bit, after being saved and loaded', async () => {
    const layer = make();
    const model = await trained(layer);
    const x = randomTensor([5, 4, 3], 2);
    const loaded = await reload(model);
    const [copy] = loaded.layers as [tf.layers.Layer];
    expect(copy.getConfig()).toEqual(layer.getConfig());
    expect(weightsOf(copy)).toEqual(weightsOf(layer));
    expect(
      difference(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor),
    ).toBe(0);
  });

  it('loads from the JSON of its topology, as a string', async () => {
    const model = await trained(make());
    const json = model.toJSON(null, false) as {modelTopology?: object};
    const text = JSON.stringify(json);
    const copy = await tf.models.modelFromJSON(
      JSON.parse(text) as Parameters<typeof tf.models.modelFromJSON>[0],
    );
    copy.setWeights(model.getWeights());
    const x = randomTensor([5, 4, 3], 2);
    expect(
      difference(copy.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor),
    ).toBe(0);
  });
});

// tf.js's webgl computes small tensors in main memory, such as weights just
// loaded, on the CPU, which rounds differently from the GPU.
describe('F23: bit for bit, with weights in any memory,', () => {
  const FLAG = 'WEBGL_CPU_FORWARD';
  const onWebgl = (): boolean => tf.getBackend() === 'webgl';

  /**
   * Runs a function with tf.js's flag set, which the pages of these tests
   * switch off.
   */
  const withFlag = <T>(value: boolean, run: () => T): T => {
    if (!onWebgl()) return run();
    const before = tf.env().getBool(FLAG);
    tf.env().set(FLAG, value);
    try {
      return run();
    } finally {
      tf.env().set(FLAG, before);
    }
  };

  /** Copies the values to the device. */
  const onDevice = (values: tf.Tensor): tf.Tensor =>
    withFlag(false, () => tf.mul(values, 1));

  it.each(
    [1, 3, 4, 16, 64, 127, 128, 200].flatMap((features) => [
      ['BatchNorm', features, () => batchNorm()] as const,
      ['LayerNorm', features, () => layerNorm()] as const,
    ]),
  )('%s of %d features predicts the same', (_, features, make) => {
    const layer: tf.layers.Layer = make();
    layer.build([null, features]);
    const values = layer.weights.map((_weight, i) =>
      valuesOf(tf.abs(randomTensor([features], i + 1, 2, 0.7))),
    );
    const x = randomTensor([5, features], 9);
    layer.setWeights(values.map((each) => tf.tensor(each)));
    const apply = (): tf.Tensor =>
      withFlag(true, () => {
        const y = layer.apply(x) as tf.Tensor;
        if (onWebgl()) expect(tf.env().getBool(FLAG)).toBe(true);
        return y;
      });
    const inMemory = apply();
    layer.setWeights(values.map((each) => onDevice(tf.tensor(each))));
    const there = apply();
    expect(difference(inMemory, there)).toBe(0);
  });
});

describe('a saved model', () => {
  it('names weights and keys as Keras and tf.js do', async () => {
    const model = tf.sequential();
    model.add(
      batchNorm({name: 'bn', inputShape: [3], movingAverage: 'debiased'}),
    );
    model.add(layerNorm({name: 'ln'}));
    const {weightSpecs, modelTopology} = await artifactsOf(model);
    // tf.js puts trainable weights first.
    expect(weightSpecs?.map(({name}) => name)).toEqual([
      'bn/gamma',
      'bn/beta',
      'ln/gamma',
      'ln/beta',
      'bn/moving_mean',
      'bn/moving_variance',
    ]);
    const text = JSON.stringify(modelTopology);
    expect(text).toContain('"class_name":"BatchNorm"');
    expect(text).toContain('"moving_average":"debiased"');
    expect(text).toContain('"moving_variance_initializer"');
    expect(text).toContain('"unbiased_moving_variance":false');
  });

  it('keeps the order of the weights when the layer is frozen', () => {
    const layer = batchNorm({inputShape: [2]});
    layer.build([null, 2]);
    const names = layer.weights.map(({originalName}) => originalName);
    layer.trainable = false;
    expect(layer.weights.map(({originalName}) => originalName)).toEqual(names);
  });

  it('of nested and functional models loads', async () => {
    const inner = tf.sequential({
      layers: batchNormDense({units: 3, inputShape: [4], activation: 'relu'}),
    });
    const input = tf.input({shape: [4]});
    const hidden = inner.apply(input) as tf.SymbolicTensor;
    const output = layerNorm().apply(hidden) as tf.SymbolicTensor;
    const model = tf.model({inputs: input, outputs: output});
    const x = randomTensor([3, 4], 5);
    const loaded = await reload(model);
    expect(
      difference(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor),
    ).toBe(0);
  });
});
