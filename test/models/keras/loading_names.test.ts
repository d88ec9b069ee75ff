// Every class name of a normalization that stock tf.js does not know, in a file as
// Keras 2 writes it, loads by tf.loadLayersModel once the package is imported.
import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  fromKeras,
  GroupNorm,
  InstanceNorm,
  ops,
  RMSNorm,
  SpectralNorm,
  UnitNorm,
} from 'tfjs-normalization';
import {expectClose} from '../../support/close.js';
import {randomTensor, valuesOf} from '../../support/tensors.js';

interface Named {
  readonly layerClass: new (...args: never[]) => tf.layers.Layer;
  readonly config?: object;
  /** The names of its weights: of 4 values each, if no shape is given. */
  readonly weights: ReadonlyArray<string | [string, number[]]>;
  readonly expected: (x: tf.Tensor, weights: tf.Tensor[]) => tf.Tensor;
}

const AFFINE = ['gamma', 'beta'];
const STATISTICS = [...AFFINE, 'moving_mean', 'moving_variance'];

const BATCH: Named = {
  layerClass: BatchNorm,
  config: {axis: [2], momentum: 0.9, fused: true, renorm: false},
  weights: STATISTICS,
  expected: (x, [gamma, beta, mean, variance]) =>
    ops.batchNorm(x, {gamma, beta, mean, variance}).y,
};
const GROUP: Named = {
  layerClass: GroupNorm,
  config: {groups: 2, axis: -1},
  weights: AFFINE,
  expected: (x, [gamma, beta]) => ops.groupNorm(x, {groups: 2, gamma, beta}),
};

const NAMES: Readonly<Record<string, Named>> = {
  BatchNormalizationV1: BATCH,
  BatchNormalizationV2: BATCH,
  SyncBatchNormalization: BATCH,
  GroupNormalization: GROUP,
  'Addons>GroupNormalization': GROUP,
  'Addons>InstanceNormalization': {
    layerClass: InstanceNorm,
    config: {groups: 4, axis: -1},
    weights: AFFINE,
    expected: (x, [gamma, beta]) => ops.instanceNorm(x, {gamma, beta}),
  },
  InstanceNormalization: {
    // keras-contrib's, whose class has no name in the package.
    layerClass: tf.layers.Layer as unknown as Named['layerClass'],
    config: {axis: -1},
    weights: AFFINE,
    expected: (x, [gamma, beta]) => {
      const {mean, variance} = tf.moments(x, 1, true);
      const deviation = tf.add(tf.sqrt(variance), 1e-3);
      const y = tf.div(tf.sub(x, mean), deviation);
      return tf.add(tf.mul(y, gamma as tf.Tensor), beta as tf.Tensor);
    },
  },
  UnitNormalization: {
    layerClass: UnitNorm,
    config: {axis: -1},
    weights: [],
    expected: (x) => tf.div(x, tf.norm(x, 2, -1, true)),
  },
  SpectralNormalization: {
    layerClass: SpectralNorm,
    config: {
      power_iterations: 1,
      layer: {
        class_name: 'Dense',
        config: {
          name: 'dense',
          trainable: true,
          dtype: 'float32',
          units: 3,
          activation: 'linear',
          use_bias: true,
        },
      },
    },
    weights: [
      ['dense/kernel', [4, 3]],
      ['dense/bias', [3]],
      ['vector_u', [1, 3]],
    ],
    // As Keras predicts: with the kernel as it is.
    expected: (x, [kernel, bias]) => {
      const rows = tf.reshape(x, [-1, 4]);
      const y = tf.add(tf.matMul(rows, kernel as tf.Tensor), bias as tf.Tensor);
      return tf.reshape(y, [2, 5, 3]);
    },
  },
  RMSNormalization: {
    layerClass: RMSNorm,
    config: {axis: -1, epsilon: 1e-6},
    weights: ['scale'],
    expected: (x, [gamma]) => ops.rmsNorm(x, {gamma}),
  },
};

function artifactsOf(
  className: string,
  {config, weights}: Named,
): {artifacts: tf.io.ModelArtifacts; values: tf.Tensor[]} {
  const specs = weights.map((each) => {
    const [name, shape] = typeof each === 'string' ? [each, [4]] : each;
    return {name: `norm/${name}`, shape, dtype: 'float32' as const};
  });
  const values = specs.map(({shape}, i) =>
    tf.add(tf.abs(randomTensor(shape, i + 2)), 0.5),
  );
  const layer = {
    class_name: className,
    config: {name: 'norm', trainable: true, dtype: 'float32', ...config},
  };
  const input = {
    class_name: 'InputLayer',
    config: {
      batch_input_shape: [null, 5, 4],
      dtype: 'float32',
      sparse: false,
      ragged: false,
      name: 'input',
    },
  };
  return {
    artifacts: {
      modelTopology: {
        keras_version: '2.15.0',
        backend: 'tensorflow',
        model_config: {
          class_name: 'Sequential',
          config: {name: 'model', layers: [input, layer]},
        },
      },
      weightSpecs: specs,
      weightData: Float32Array.from(values.flatMap(valuesOf)).buffer,
    },
    values,
  };
}

describe.each(Object.entries(NAMES))('%s', (className, named) => {
  it.each([
    ['tf.loadLayersModel', (handler: tf.io.IOHandler) => handler],
    ['fromKeras', (handler: tf.io.IOHandler) => fromKeras(handler)],
  ])('loads by %s', async (_, from) => {
    const {artifacts, values} = artifactsOf(className, named);
    const model = await tf.loadLayersModel(
      from({load: () => Promise.resolve(artifacts)}),
    );
    const layer = model.getLayer('norm');
    expect(layer).toBeInstanceOf(named.layerClass);
    const x = randomTensor([2, 5, 4], 1);
    const expected = named.expected(x, values);
    await expectClose(model.predict(x) as tf.Tensor, expected, {
      what: 'y',
      // Of statistics of at most 20 values, computed in two ways.
      roundings: 16,
      shape: expected.shape,
    });
    model.dispose();
  });
});
