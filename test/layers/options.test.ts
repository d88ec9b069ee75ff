import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  LayerNorm,
  layerNorm,
  type LayerNormArgs,
} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {nameOf} from '../fixtures/layer_run.js';
import {randomTensor} from '../support/tensors.js';

type Make = (args: object) => tf.layers.Layer;

const LAYERS: Array<[string, Make]> = [
  ['BatchNorm', batchNorm],
  ['LayerNorm', layerNorm],
];

describe.each(LAYERS)('%s refuses', (className, make) => {
  it.each([
    [{units: 3}, 'unknown option units; its options are axis, ', 'units=3'],
    [{toString: 3}, 'unknown option toString; its options are', 'toString=3'],
    [{epsilon: 0}, 'epsilon must be a number above 0.', 'epsilon=0'],
    [{epsilon: 1e-50}, 'epsilon must be a number above 0.', 'epsilon=1e-50'],
    [{axis: [NaN]}, 'axis must be an integer or an array', 'axis=["NaN"]'],
    [{epsilon: -1}, 'epsilon must be a number above 0.', 'epsilon=-1'],
    [{epsilon: NaN}, 'epsilon must be a number above 0.', 'epsilon=NaN'],
    [{axis: 0.5}, 'axis must be an integer or an array', 'axis=0.5'],
    [{axis: []}, 'axis must be an integer or an array', 'axis=[]'],
    [{axis: [1, 'x']}, 'axis must be an integer or an array', 'axis=[1,"x"]'],
    [{scale: 1}, 'scale must be true or false.', 'scale=1'],
    [{center: 'no'}, 'center must be true or false.', 'center="no"'],
    [
      {gammaInitializer: 'two'},
      'is not an initializer.',
      'gammaInitializer="two"',
    ],
    [
      {betaInitializer: 'dense'},
      'is not an initializer.',
      'betaInitializer="dense"',
    ],
    [
      {betaRegularizer: 'zeros'},
      'is not a regularizer.',
      'betaRegularizer="zeros"',
    ],
    [{gammaConstraint: 'l2'}, 'is not a constraint.', 'gammaConstraint="l2"'],
    [
      {gammaInitializer: 'constant'},
      'gammaInitializer cannot be made (',
      'gammaInitializer="constant"',
    ],
    [
      {gammaInitializer: {className: 'Nothing', config: {}}},
      'is not an initializer.',
      'gammaInitializer={"className":"Nothing","config":{}}',
    ],
  ])('%j', (option, problem, received) => {
    const construct = (): unknown => make({name: 'norm', ...option});
    expect(construct).toThrow(`${className} norm: `);
    expect(construct).toThrow(problem);
    expect(construct).toThrow(`Received: ${received}`);
  });

  it.each([
    [{axis: 3}, [null, 4, 4], 'axis 3 is out of range for an input of rank 3'],
    [{axis: -4}, [null, 4, 4], 'axis -4 is out of range'],
    [{axis: [1, -2]}, [null, 4, 4], 'duplicate axes'],
    [{axis: 1}, [2, null, 4], 'Axis 1 of input tensor should have a defined'],
    [{axis: 0}, [null, 4], 'Axis 0 of input tensor should have a defined'],
  ])('%j on %j, when it is built', (option, shape, problem) => {
    const layer = make({name: 'norm', ...option});
    expect(() => layer.build(shape)).toThrow(`${className} norm: ${problem}`);
    expect(() => layer.build(shape)).toThrow('Received: ');
  });

  it('an input of another rank or of other features, once it is built', () => {
    const layer = make({});
    layer.build([null, 3, 4]);
    expect(() => layer.apply(tf.zeros([2, 4]))).toThrow('expected ndim=3');
    expect(() => layer.apply(tf.zeros([2, 3, 5]))).toThrow(
      'expected axis 2 of input shape to have value 4',
    );
    expect(layer.apply(tf.zeros([2, 7, 4]))).toBeInstanceOf(tf.Tensor);
  });
});

describe('BatchNorm refuses', () => {
  it.each([
    [{momentum: 1.5}, 'momentum must be a number from 0 to 1', 'momentum=1.5'],
    [{momentum: '1'}, 'momentum must be a number from 0 to 1', 'momentum="1"'],
    [
      {movingAverage: 'mean'},
      'movingAverage must be one of',
      'movingAverage="mean"',
    ],
    [{statistics: true}, 'statistics must be one of', 'statistics=true'],
    [
      {unbiasedMovingVariance: 'yes'},
      'unbiasedMovingVariance must be true or false',
      'unbiasedMovingVariance="yes"',
    ],
    [
      {movingMeanInitializer: 7},
      'is not an initializer',
      'movingMeanInitializer=7',
    ],
    [{renorm: 1}, 'renorm must be true or false', 'renorm=1'],
    ...[0, -4, 2.5, '8', NaN, [4]].map(
      (virtualBatchSize): [object, string, string] => [
        {virtualBatchSize},
        'virtualBatchSize must be an integer above 0',
        'virtualBatchSize=',
      ],
    ),
    [
      {virtualBatchSize: 8, renorm: true},
      'virtualBatchSize cannot be used with renorm',
      'virtualBatchSize=8',
    ],
    [
      {renorm: true, renormMomentum: 1.5},
      'renormMomentum must be a number from 0 to 1',
      'renormMomentum=1.5',
    ],
    [
      {renormMomentum: 0.9},
      'renormMomentum needs renorm: true',
      'renormMomentum=0.9',
    ],
    [
      {renormClipping: {rmax: 3}},
      'renormClipping needs renorm: true',
      'renormClipping={"rmax":3}',
    ],
    ...[
      {rmix: 3},
      {rmax: '3'},
      {dmax: -1},
      {rmax: Infinity},
      {rmin: 2, rmax: 1},
      [1, 2],
      3,
    ].map((renormClipping): [object, string, string] => [
      {renorm: true, renormClipping},
      'renormClipping must have finite numbers from 0 on as rmin, rmax and dmax',
      'renormClipping=',
    ]),
  ])('%j', (option, problem, received) => {
    const construct = (): unknown => batchNorm({name: 'bn', ...option});
    expect(construct).toThrow('BatchNorm bn: ');
    expect(construct).toThrow(problem);
    expect(construct).toThrow(`Received: ${received}`);
  });
});

describe('LayerNorm', () => {
  it('refuses an rmsScaling that is neither true nor false', () => {
    expect(() =>
      layerNorm({name: 'norm', rmsScaling: 1} as unknown as LayerNormArgs),
    ).toThrow(
      'LayerNorm norm: rmsScaling must be true or false. Received: rmsScaling=1',
    );
  });

  it.each([true, false])(
    'has gamma and no beta with rmsScaling, scale and center %s',
    (affine) => {
      const layer = layerNorm({
        rmsScaling: true,
        scale: affine,
        center: affine,
      });
      layer.build([null, 4]);
      expect(layer.weights.map(nameOf)).toEqual(['gamma']);
      // A saved model has what the user gave.
      expect(layer.getConfig()).toMatchObject({scale: affine, center: affine});
    },
  );

  it('needs no lengths of its axes if it has no weights', () => {
    const layer = layerNorm({axis: 1, scale: false, center: false});
    layer.build([null, null, 4]);
    expect(layer.weights).toEqual([]);
    for (const length of [3, 9]) {
      const y = layer.apply(randomTensor([2, length, 4], 1)) as tf.Tensor;
      const means = tf.mean(y, 1);
      // y's own roundings, of up to 2, and those of their mean.
      expectCloseNow(means, tf.zerosLike(means), {
        what: 'mean',
        roundings: 8,
        scale: 2,
      });
    }
  });
});

describe('an option of null', () => {
  it('stands for its default, as everywhere in tf.js', () => {
    const nulls = Object.fromEntries(
      Object.keys(batchNorm().getConfig()).map((key) => [key, null]),
    );
    delete nulls.name;
    const config = batchNorm({...nulls, name: 'a'}).getConfig();
    expect(config).toEqual(batchNorm({name: 'a'}).getConfig());
  });
});

describe('initializers, regularizers and constraints', () => {
  it('are accepted by name, as objects, and as in model files', () => {
    const forms = [
      {
        gammaInitializer: 'zeros',
        gammaRegularizer: 'l2',
        betaConstraint: 'nonNeg',
      },
      {
        gammaInitializer: tf.initializers.zeros(),
        gammaRegularizer: tf.regularizers.l1l2({l1: 0, l2: 0.01}),
        betaConstraint: tf.constraints.nonNeg(),
      },
      {
        gammaInitializer: {className: 'Zeros', config: {}},
        gammaRegularizer: {className: 'L1L2', config: {l1: 0, l2: 0.01}},
        betaConstraint: {className: 'NonNeg', config: {}},
      },
      {
        gammaInitializer: {className: 'Zeros', config: {}},
        gammaRegularizer: {className: 'L2', config: {l2: 0.01}},
        betaConstraint: {className: 'NonNeg', config: {}},
      },
    ];
    const configs = forms.map((form) =>
      layerNorm({name: 'ln', ...form} as LayerNormArgs).getConfig(),
    );
    expect(new Set(configs.map((config) => JSON.stringify(config))).size).toBe(
      1,
    );
    expect(configs[0]?.gammaRegularizer).toEqual({
      className: 'L1L2',
      config: {l1: 0, l2: 0.01},
    });
  });

  it('have their effects', () => {
    const layer = batchNorm({
      gammaInitializer: tf.initializers.constant({value: 3}),
      betaRegularizer: tf.regularizers.l2({l2: 0.5}),
      gammaRegularizer: 'l1',
      betaInitializer: 'ones',
      movingMeanInitializer: 'ones',
      movingVarianceInitializer: tf.initializers.constant({value: 4}),
      epsilon: 1e-9,
    });
    const y = layer.apply(tf.tensor2d([[5, 1]])) as tf.Tensor;
    // A difference, the root, a product and a sum.
    expectCloseNow(y, [(3 * (5 - 1)) / 2 + 1, 1], {what: 'y', roundings: 8});
    // 0.5 · (1² + 1²) of beta, 0.01 · (3 + 3) of gamma.
    const losses = layer.calculateLosses().map((loss) => loss.dataSync()[0]);
    // Squares, products and sums of four numbers.
    expectCloseNow([losses.reduce<number>((a, b = NaN) => a + b, 0)], [1.06], {
      what: 'the losses',
      roundings: 6,
    });
  });

  it('may be of a custom class', () => {
    class Sevens extends tf.serialization.Serializable {
      static readonly className = 'Sevens';
      apply(shape: number[]): tf.Tensor {
        return tf.fill(shape, 7);
      }
      getConfig(): tf.serialization.ConfigDict {
        return {};
      }
    }
    const layer = layerNorm({gammaInitializer: new Sevens() as never});
    layer.build([null, 2]);
    expect(Array.from(layer.getWeights()[0]?.dataSync() ?? [])).toEqual([7, 7]);
  });
});

describe('getConfig', () => {
  it('has the keys of Keras and tf.js, and its own', () => {
    const config = batchNorm({
      name: 'bn',
      axis: [1],
      inputShape: [3],
    }).getConfig();
    expect(new Set(Object.keys(config))).toEqual(
      new Set([
        'axis',
        'momentum',
        'epsilon',
        'center',
        'scale',
        'betaInitializer',
        'gammaInitializer',
        'movingMeanInitializer',
        'movingVarianceInitializer',
        'betaRegularizer',
        'gammaRegularizer',
        'betaConstraint',
        'gammaConstraint',
        'movingAverage',
        'statistics',
        'unbiasedMovingVariance',
        'virtualBatchSize',
        'renorm',
        'renormClipping',
        'renormMomentum',
        'name',
        'trainable',
        'batchInputShape',
        'dtype',
      ]),
    );
    const stock = tf.layers
      .batchNormalization({name: 'bn', axis: 1, inputShape: [3]})
      .getConfig();
    expect({...config, axis: 1}).toMatchObject(stock);
    const norm = layerNorm({name: 'ln', axis: 1}).getConfig();
    expect(norm).toMatchObject(
      tf.layers.layerNormalization({name: 'ln', axis: 1}).getConfig(),
    );
  });

  it('makes an equal layer', () => {
    const config = batchNorm({
      axis: [1, -1],
      momentum: 0.5,
      epsilon: 0.1,
      center: false,
      movingAverage: 'cumulative',
      statistics: 'batch',
      unbiasedMovingVariance: true,
      gammaInitializer: tf.initializers.constant({value: 2}),
      gammaRegularizer: 'l2',
      gammaConstraint: 'nonNeg',
      trainable: false,
      name: 'bn',
    }).getConfig();
    expect(BatchNorm.fromConfig(BatchNorm, config).getConfig()).toEqual(config);
    for (const options of [
      {renorm: true, renormClipping: {rmax: 3, dmax: 5}, renormMomentum: 0.5},
      {virtualBatchSize: 32},
    ]) {
      const own = batchNorm(options).getConfig();
      expect(own).toMatchObject(options);
      expect(BatchNorm.fromConfig(BatchNorm, own).getConfig()).toEqual(own);
    }
    const norm = layerNorm({axis: [2, 1], scale: false}).getConfig();
    expect(LayerNorm.fromConfig(LayerNorm, norm).getConfig()).toEqual(norm);
  });
});

it('bounds of renorm are its own, whatever becomes of those given', () => {
  const renormClipping = {rmax: 3};
  const layer = batchNorm({renorm: true, renormClipping});
  renormClipping.rmax = 0;
  (layer.getConfig().renormClipping as {rmax: number}).rmax = 0;
  expect(layer.getConfig().renormClipping).toEqual({rmax: 3});
});
