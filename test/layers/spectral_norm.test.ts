// SpectralNorm: Keras's numbers, gradients through σ, what it writes, files, memory.
import * as tf from '@tensorflow/tfjs';
import {
  SpectralNorm,
  spectralNorm,
  type SpectralNormArgs,
} from 'tfjs-normalization';
import {type KerasSpectralNorm, readFixture} from '../fixtures/fixtures.js';
import {gradientsOf, nameOf, weightOf} from '../fixtures/layer_run.js';
import {differences} from '../oracle/differences.js';
import {sigmaOf, singular} from '../oracle/singular.js';
import {expectClose, expectCloseNow} from '../support/close.js';
import {
  callOf,
  builtDense,
  KERNEL,
  spectralDense,
  U,
} from '../support/spectral_dense.js';
import {trainsStockLayers} from '../support/stock_training.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/keras_spectral_norm.py.
const keras = readFixture('keras_spectral_norm');

type Config = tf.serialization.ConfigDict;

type Case = KerasSpectralNorm['cases'][number];

/** The layer as it is in a file of Keras, whose options tf.js reads in camel case. */
function fromFile({
  className,
  options,
  powerIterations,
}: Case): tf.layers.Layer {
  const camelCase = Object.entries(options).map(([key, value]) => [
    key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return SpectralNorm.fromConfig(SpectralNorm, {
    name: 'spectral',
    powerIterations,
    layer: {className, config: Object.fromEntries(camelCase) as Config},
  }) as tf.layers.Layer;
}

function give(layer: tf.layers.Layer, {shape, weights}: Case): void {
  layer.build(shape);
  const values = layer.weights.map((weight) => {
    const name = nameOf(weight).replace('depthwise_kernel', 'kernel');
    const given = weights.find((each) => each.name === name);
    return tf.tensor(given?.values ?? [], weight.shape as number[]);
  });
  layer.setWeights(values);
}

describe.each(keras.cases)('Keras, around $name', (given) => {
  const {shape, x, stored, y, u, shapeOfU} = given;
  const scale = Math.max(...stored.map(Math.abs));

  it('predicts with the kernel as it is, and trains with it divided by σ', async () => {
    const layer = fromFile(given);
    give(layer, given);
    const before = weightsOf(layer);
    const predicted = layer.apply(tf.tensor(x, shape)) as tf.Tensor;
    // Sums of at most 16 products.
    await expectClose(predicted, stored, {what: 'as stored', roundings: 16});
    expect(weightsOf(layer)).toEqual(before);

    const trained = layer.apply(tf.tensor(x, shape), {
      training: true,
    }) as tf.Tensor;
    // The same sums, and those of u, v and σ.
    await expectClose(trained, y, {what: 'y', roundings: 32, scale});
    const moved = weightOf(layer, 'vector_u');
    await expectClose(moved, u, {what: 'u', roundings: 16, shape: shapeOfU});
    expect({...weightsOf(layer), vector_u: null}).toEqual({
      ...before,
      vector_u: null,
    });
  });
});

describe('gradients', () => {
  const x = [1, -2, 0.5, 3, 1, -1];
  const dy = [0.5, 1, -1, 2];
  const {u, v} = singular(KERNEL, 2, U, 1);

  /** Σ dy · y² with the vectors held. */
  const loss = (w: readonly number[]): number => {
    const sigma = sigmaOf(w, 2, u, v);
    return dy.reduce((sum, weight, k) => {
      const [row, unit] = [Math.floor(k / 2), k % 2];
      const y = [0, 1, 2].reduce(
        (part, i) =>
          part + ((x[row * 3 + i] ?? NaN) * (w[i * 2 + unit] ?? NaN)) / sigma,
        0,
      );
      return sum + weight * y * y;
    }, 0);
  };

  beforeEach(trainsStockLayers);

  const lossHere = (layer: SpectralNorm, training: boolean) => (): tf.Scalar =>
    tf.sum(
      tf.mul(
        tf.square(layer.apply(tf.tensor2d(x, [2, 3]), {training}) as tf.Tensor),
        tf.tensor2d(dy, [2, 2]),
      ),
    );

  it.each([true, false])(
    'flow through σ, with its vectors held; training: %s',
    (training) => {
      const layer = builtDense();
      const found = gradientsOf(
        layer,
        tf.scalar(0),
        lossHere(layer, training),
      ) as unknown as {dkernel: tf.Tensor};
      expectCloseNow(found.dkernel, differences(KERNEL, loss), {
        what: 'dkernel',
        // Sums of a few terms, one after the other.
        roundings: 64,
        shape: [3, 2],
      });
    },
  );

  it('can be differentiated again', () => {
    const layer = builtDense();
    const kernel = layer.trainableWeights[0]?.read() as tf.Variable;
    const squared = (): tf.Scalar => {
      const {grads} = tf.variableGrads(lossHere(layer, false), [kernel]);
      return tf.sum(tf.square(grads[kernel.name] as tf.Tensor));
    };
    const {grads} = tf.variableGrads(squared, [kernel]);
    const expected = differences(KERNEL, (w) =>
      // The vectors follow the kernel, and are constants in each of the gradients.
      differences(w, loss).reduce((sum, d) => sum + d * d, 0),
    );
    expectCloseNow(grads[kernel.name] as tf.Tensor, expected, {
      what: 'the gradient of the squared gradient',
      // Differences of differences have about six digits.
      roundings: 256,
    });
  });
});

describe('power iteration', () => {
  it('finds the largest singular value in time, and prediction divides by it', async () => {
    const layer = builtDense();
    const x = tf.tensor2d([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    for (let i = 0; i < 40; i++) {
      tf.dispose(callOf(layer, x, {training: true}));
    }
    const {sigma} = singular(KERNEL, 2, U, 60);
    const y = layer.apply(x) as tf.Tensor;
    await expectClose(
      y,
      KERNEL.map((value) => value / sigma),
      {
        what: 'the normalized kernel',
        roundings: 16,
      },
    );
  });

  it('does as many steps as it is told', () => {
    const x = tf.ones([1, 3]);
    const [once, thrice] = [builtDense(), builtDense({powerIterations: 3})];
    for (let i = 0; i < 3; i++) tf.dispose(callOf(once, x, {training: true}));
    tf.dispose(callOf(thrice, x, {training: true}));
    expect(valuesOf(weightOf(thrice, 'vector_u'))).toEqual(
      valuesOf(weightOf(once, 'vector_u')),
    );
  });

  it('predicts the same again and again, and moves nothing', () => {
    const layer = builtDense();
    const x = randomTensor([4, 3], 1);
    const before = weightsOf(layer);
    const [first, second] = [0, 1].map(() =>
      valuesOf(layer.apply(x, {training: false}) as tf.Tensor),
    );
    expect(second).toEqual(first);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('leaves a kernel of zeros, its gradient, and u as they are', () => {
    trainsStockLayers();
    const layer = builtDense();
    layer.setWeights([tf.zeros([3, 2]), tf.tensor2d([U])]);
    const {dx, ...others} = gradientsOf(layer, tf.ones([1, 3]), (x) =>
      tf.sum(layer.apply(x, {training: true}) as tf.Tensor),
    );
    const {dkernel} = others as {dkernel?: tf.Tensor};
    expect(valuesOf(dx)).toEqual([0, 0, 0]);
    expect(valuesOf(dkernel as tf.Tensor)).toEqual([1, 1, 1, 1, 1, 1]);
    expectCloseNow(weightOf(layer, 'vector_u'), U, {what: 'u', roundings: 1});
  });

  it('keeps u where the kernel is not finite', () => {
    const layer = builtDense();
    layer.setWeights([tf.fill([3, 2], NaN), tf.tensor2d([U])]);
    tf.dispose(callOf(layer, tf.ones([1, 3]), {training: true}));
    expectCloseNow(weightOf(layer, 'vector_u'), U, {what: 'u', roundings: 1});
  });

  it.each([1e-15, 1e15])(
    'is right for a kernel of the size %s',
    async (size) => {
      const layer = builtDense();
      layer.setWeights([
        tf.tensor2d(
          KERNEL.map((value) => value * size),
          [3, 2],
        ),
        tf.tensor2d([U]),
      ]);
      const y = layer.apply(tf.tensor2d([[1, -2, 0.5]])) as tf.Tensor;
      const expected = builtDense().apply(tf.tensor2d([[1, -2, 0.5]]));
      await expectClose(y, expected as tf.Tensor, {what: 'y', roundings: 16});
    },
  );
});

describe('frozen', () => {
  it('writes nothing in training, and predicts', () => {
    const layer = builtDense();
    const x = randomTensor([4, 3], 1);
    const predicted = valuesOf(layer.apply(x) as tf.Tensor);
    layer.trainable = false;
    const before = weightsOf(layer);
    const y = layer.apply(x, {training: true}) as tf.Tensor;
    expect(valuesOf(y)).toEqual(predicted);
    expect(weightsOf(layer)).toEqual(before);
  });

  it('keeps the order of its weights', () => {
    const layer = spectralNorm({layer: tf.layers.dense({units: 2})});
    layer.build([null, 3]);
    const names = ['kernel', 'bias', 'vector_u'];
    expect(layer.weights.map(nameOf)).toEqual(names);
    expect(layer.trainableWeights.map(nameOf)).toEqual(['kernel', 'bias']);
    layer.trainable = false;
    expect(layer.weights.map(nameOf)).toEqual(names);
    expect(layer.trainableWeights).toEqual([]);
    expect(layer.layer.trainable).toBe(false);
  });

  it('is as the layer inside, whichever says so', () => {
    expect(spectralDense({trainable: false}).layer.trainable).toBe(false);
    expect(spectralDense({}, {trainable: false}).trainable).toBe(false);
    expect(spectralDense().trainable).toBe(true);
  });
});

describe('refused', () => {
  it.each<[string, () => unknown, string]>([
    [
      'no options',
      () => spectralNorm(undefined as unknown as SpectralNormArgs),
      'layer must be a layer of tf.js, as tf.layers.dense makes. ' +
        'Received: layer=undefined',
    ],
    [
      'a layer that is none',
      () => spectralNorm({name: 'sn', layer: 3} as unknown as SpectralNormArgs),
      'SpectralNorm sn: layer must be a layer of tf.js, as tf.layers.dense makes. ' +
        'Received: layer=3',
    ],
    [
      'no iterations',
      () => spectralDense({powerIterations: 0}),
      'SpectralNorm spectral: powerIterations must be an integer above 0. ' +
        'Received: powerIterations=0',
    ],
    [
      'an option of another layer',
      () => spectralDense({units: 3} as object),
      'SpectralNorm spectral: unknown option units; its options are layer, ' +
        'powerIterations, kernelIsNormalized. Received: units=3',
    ],
    ...(
      [
        ['Flatten', () => tf.layers.flatten(), [4, 3]],
        [
          'SeparableConv2D',
          () => tf.layers.separableConv2d({filters: 2, kernelSize: 2}),
          [4, 4, 3],
        ],
        ['LSTM', () => tf.layers.lstm({units: 2}), [4, 3]],
        ['SpectralNormalization', () => spectralDense(), [3]],
      ] as Array<[string, () => tf.layers.Layer, number[]]>
    ).map(([name, make, shape]): [string, () => unknown, string] => [
      `a layer without one kernel: ${name}`,
      () => {
        spectralNorm({name: 'sn', layer: make()}).build([null, ...shape]);
      },
      'SpectralNorm sn: the layer inside must have one kernel, or embeddings, as ' +
        'Dense, a convolution or Embedding has. ' +
        `Received: layer.className="${name}"`,
    ]),
    [
      'a file with a layer that nobody has registered',
      () =>
        SpectralNorm.fromConfig(SpectralNorm, {
          name: 'sn',
          layer: {className: 'Nothing', config: {}},
        }),
      'SpectralNorm sn: tf.js has no such layer, and none is registered under the ' +
        'name. Received: layer.className="Nothing"',
    ],
    [
      'a file without a layer',
      () => SpectralNorm.fromConfig(SpectralNorm, {name: 'sn'}),
      'SpectralNorm sn: layer must be a layer of tf.js',
    ],
  ])('%s', (_, refuse, message) => {
    expect(refuse).toThrow(message);
  });
});
