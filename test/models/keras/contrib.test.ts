// keras-contrib's InstanceNormalization, which loads and has another formula than
// tensorflow-addons' and PyTorch's.
import * as tf from '@tensorflow/tfjs';
import {
  convertModel,
  fromKeras,
  inspect,
  InstanceNorm,
  toStock,
} from 'tfjs-normalization';
import {readFixture} from '../../fixtures/fixtures.js';
import {run, setWeights} from '../../fixtures/layer_run.js';
import {differences} from '../../oracle/differences.js';
import {expectClose, expectCloseNow} from '../../support/close.js';
import {artifactsOf, reload} from '../../support/memory_model.js';
import {randomTensor, valuesOf} from '../../support/tensors.js';

/*
 * By hand, from the source of keras-contrib, with test/fixtures/contrib_instance_norm.py:
 * it is on no package index, and imports a Keras that runs on no Python of today.
 */
const contrib = readFixture('contrib_instance_norm');

/** The config as keras-contrib writes it. */
function configOf(options: object): object {
  return {
    name: 'norm',
    trainable: true,
    axis: null,
    epsilon: 0.001,
    center: true,
    scale: true,
    beta_initializer: {class_name: 'Zeros', config: {}},
    gamma_initializer: {class_name: 'Ones', config: {}},
    beta_regularizer: null,
    gamma_regularizer: null,
    beta_constraint: null,
    gamma_constraint: null,
    ...options,
  };
}

/** A model of Keras 2.2 with this layer alone. */
function artifactsWith(
  inputShape: number[],
  options: object,
  weights: ReadonlyArray<readonly [string, number[]]>,
): tf.io.ModelArtifacts {
  return {
    modelTopology: {
      keras_version: '2.2.4',
      backend: 'tensorflow',
      model_config: {
        class_name: 'Sequential',
        config: {
          name: 'model',
          layers: [
            {
              class_name: 'InstanceNormalization',
              config: configOf({
                batch_input_shape: [null, ...inputShape],
                dtype: 'float32',
                ...options,
              }),
            },
          ],
        },
      },
    },
    weightSpecs: weights.map(([name, values]) => ({
      name: `norm/${name}`,
      shape: [values.length],
      dtype: 'float32' as const,
    })),
    weightData: Float32Array.from(weights.flatMap(([, values]) => values))
      .buffer,
  };
}

const handlerOf = (artifacts: tf.io.ModelArtifacts): tf.io.IOHandler => ({
  load: () => Promise.resolve(artifacts),
});

const ROUTES: ReadonlyArray<
  [string, (artifacts: tf.io.ModelArtifacts) => Promise<tf.LayersModel>]
> = [
  ['fromKeras', (given) => tf.loadLayersModel(fromKeras(handlerOf(given)))],
  ['tf.loadLayersModel', (given) => tf.loadLayersModel(handlerOf(given))],
];

describe.each(ROUTES)('%s loads it', (_, load) => {
  it.each(
    contrib.cases.flatMap((given) =>
      given.variants.map((variant) => ({...given, ...variant})),
    ),
  )('with $name, center $center, scale $scale', async (given) => {
    const {shape, axis, epsilon, center, scale, weights, x, y} = given;
    const kept = [
      ...(scale ? [['gamma', weights.gamma ?? []] as const] : []),
      ...(center ? [['beta', weights.beta ?? []] as const] : []),
    ];
    const options = {axis, epsilon, center, scale};
    const model = await load(artifactsWith(shape.slice(1), options, kept));
    await expectClose(model.predict(tf.tensor(x, shape)) as tf.Tensor, y, {
      what: 'y',
      // As of any other normalization over at most 12 values.
      roundings: 8,
      shape,
    });
    model.dispose();
  });

  it("as tensorflow-addons' where it has groups", async () => {
    const artifacts = artifactsWith([3, 4], {axis: -1, groups: 4}, [
      ['gamma', [1, 2, 3, 4]],
      ['beta', [4, 3, 2, 1]],
    ]);
    const model = await load(artifacts);
    expect(model.layers.some((l) => l instanceof InstanceNorm)).toBe(true);
    model.dispose();
  });
});

/** The layer itself, which has no name in the package. */
function layerOf(options: object): tf.layers.Layer {
  const {classNameMap} = tf.serialization.SerializationMap.getMap();
  const [cls, fromConfig] = classNameMap.InstanceNormalization ?? [];
  if (!cls || !fromConfig) throw new Error('it is not registered');
  return fromConfig(cls, {
    name: 'norm',
    ...options,
  }) as unknown as tf.layers.Layer;
}

describe('the layer', () => {
  const x = [0.5, -1, 2, 0.25, 1.5, -0.75, 3, 1];
  const dy = [1, -2, 0.5, 0.25, -1, 2, 1, -0.5];
  const epsilon = 0.1;
  /** The places of the values that share a statistic. */
  const EXAMPLES = [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ];
  const CHANNELS = [
    [0, 2],
    [1, 3],
    [4, 6],
    [5, 7],
  ];

  /** y in float64, without gamma and beta. */
  const outcome = (at: readonly number[], groups: number[][]): number[] => {
    const y = [...at];
    for (const places of groups) {
      const values = places.map((i) => at[i] ?? NaN);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const squares = values.map((value) => (value - mean) ** 2);
      const variance = squares.reduce((a, b) => a + b, 0) / values.length;
      places.forEach((i, k) => {
        y[i] = ((values[k] ?? NaN) - mean) / (Math.sqrt(variance) + epsilon);
      });
    }
    return y;
  };

  it.each([
    ['each example', null, EXAMPLES],
    ['each channel', -1, CHANNELS],
  ])('has gradients for the statistics of %s', async (_, axis, groups) => {
    const loss = (at: readonly number[]): number =>
      outcome(at, groups).reduce((sum, y, i) => sum + y * (dy[i] ?? NaN), 0);
    const layer = layerOf({axis, epsilon, scale: false, center: false});
    const found = run(layer, tf.tensor(x, [2, 2, 2]), tf.tensor(dy, [2, 2, 2]));
    await expectClose(found.dx, differences(x, loss), {
      what: 'dx',
      roundings: 32,
      scale: 10,
    });
  });

  it('can be differentiated twice', () => {
    const layer = layerOf({axis: null, epsilon, scale: false, center: false});
    const f = (a: tf.Tensor): tf.Tensor =>
      tf.sum(
        tf.mul(tf.square(layer.apply(a) as tf.Tensor), tf.tensor2d(dy, [2, 4])),
      );
    const g = tf.grad(f);
    const penalty = tf.grad((a) => tf.sum(tf.square(g(a))))(
      tf.tensor2d(x, [2, 4]),
    );
    const loss = (at: readonly number[]): number =>
      outcome(at, EXAMPLES).reduce(
        (sum, y, i) => sum + y * y * (dy[i] ?? NaN),
        0,
      );
    const expected = differences(x, (at) =>
      differences(at, loss).reduce((sum, d) => sum + d * d, 0),
    );
    expectCloseNow(penalty, expected, {
      what: 'the gradient of the squared gradient',
      // Differences of differences have about six digits; the rest of it is a few dozen
      // operations.
      roundings: 128,
    });
  });

  it('gives beta for equal values, with a finite gradient', () => {
    const layer = layerOf({axis: null, epsilon: 0.5});
    layer.build([null, 4]);
    setWeights(layer, {gamma: [2], beta: [3]});
    const {y, dx} = run(layer, tf.fill([1, 4], 7), tf.tensor2d([[1, 0, 0, 0]]));
    expect(valuesOf(y)).toEqual([3, 3, 3, 3]);
    // dy less its mean, times gamma over epsilon.
    expectCloseNow(dx, [3, -1, -1, -1], {what: 'dx', roundings: 8});
  });

  it('learns, is saved, and has a row in inspect', async () => {
    const model = tf.sequential();
    model.add(layerOf({axis: -1, batchInputShape: [null, 3, 2]}));
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const [input, y] = [randomTensor([4, 3, 2], 1), randomTensor([4, 3, 2], 2)];
    await model.fit(input, y, {epochs: 1, verbose: 0});
    const before = tf.memory().numTensors;
    const {history} = await model.fit(input, y, {epochs: 4, verbose: 0});
    expect(tf.memory().numTensors).toBe(before);
    expect(Number(history.loss?.[3])).toBeLessThan(Number(history.loss?.[0]));
    const loaded = await reload(model);
    expect(loaded.layers[0]?.getConfig()).toEqual(model.layers[0]?.getConfig());
    expect(valuesOf(loaded.predict(input) as tf.Tensor)).toEqual(
      valuesOf(model.predict(input) as tf.Tensor),
    );
    expect(await inspect(model)).toMatchObject([
      {layer: 'norm', kind: 'InstanceNormalization', axis: -1, problems: []},
    ]);
    model.dispose();
    loaded.dispose();
  });

  it.each<[string, object, Array<number | null>, string]>([
    [
      'the batch as channels',
      {axis: 0},
      [null, 3, 4],
      'ContribInstanceNorm norm: axis must be one axis, that of the channels, and ' +
        "not the batch's. Received: axis=0",
    ],
    [
      'channels without a number',
      {axis: 1},
      [null, null, 4],
      'ContribInstanceNorm norm: Axis 1 of input tensor should have a defined',
    ],
    [
      'several axes',
      {axis: [1, 2]},
      [null, 3, 4],
      'ContribInstanceNorm norm: axis must be an integer. Received: axis=[1,2]',
    ],
  ])('refuses %s', (_, options, shape, message) => {
    expect(() => {
      layerOf(options).build(shape);
    }).toThrow(message);
  });

  it('has no counterpart in stock tf.js', async () => {
    const model = tf.sequential();
    model.add(layerOf({batchInputShape: [null, 3]}));
    const words =
      'ContribInstanceNorm norm: stock tf.js has no such layer. ' +
      'Received: class_name="InstanceNormalization"';
    await expect(convertModel(model, {to: 'stock'})).rejects.toThrow(words);
    const {load} = tf.io.fromMemory(await artifactsOf(model));
    const {save} = toStock(
      tf.io.withSaveHandler(() => Promise.reject(new Error())),
    );
    const artifacts = await load?.();
    await expect(save?.(artifacts as tf.io.ModelArtifacts)).rejects.toThrow(
      words,
    );
    model.dispose();
  });
});
