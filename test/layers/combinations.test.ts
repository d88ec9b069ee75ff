// Every combination of the options of BatchNorm that act together trains, and leaves no
// tensor.
import * as tf from '@tensorflow/tfjs';
import {BatchNorm, batchNorm, type BatchNormArgs} from 'tfjs-normalization';
import {randomTensor, weightsOf} from '../support/tensors.js';
import {trainsStockLayers} from '../support/stock_training.js';

const FLAGS = [true, false];

const CUTS: ReadonlyArray<[string, BatchNormArgs]> = [
  ['the whole batch', {}],
  ['virtual batches', {virtualBatchSize: 4}],
  ['virtual batches and a rest', {virtualBatchSize: 5}],
  ['renorm', {renorm: true}],
  [
    'clipped renorm',
    {
      renorm: true,
      renormClipping: {rmin: 0.5, rmax: 2, dmax: 1},
      renormMomentum: 0.1,
    },
  ],
];

const AVERAGES = ['exponential', 'debiased', 'cumulative'] as const;

const MODES = ['auto', 'batch', 'moving'] as const;

const OTHERS: BatchNormArgs[] = AVERAGES.flatMap((movingAverage) =>
  MODES.flatMap((statistics) =>
    FLAGS.flatMap((unbiasedMovingVariance) =>
      FLAGS.flatMap((scale) =>
        FLAGS.map((center) => ({
          movingAverage,
          statistics,
          unbiasedMovingVariance,
          scale,
          center,
        })),
      ),
    ),
  ),
);

describe.each(CUTS)('BatchNorm with %s', (_, cut) => {
  it.each<[number | number[], BatchNormArgs[]]>([
    [-1, OTHERS],
    [1, OTHERS.slice(0, 1)],
    [[1, 2], OTHERS.slice(0, 1)],
  ])('and any other options, axis %j', (axis, others) => {
    trainsStockLayers();
    const x = randomTensor([8, 3, 2], 1, 2, 3);
    const target = tf.sum(x, [1, 2]);
    const step = (options: BatchNormArgs): void => {
      const layer = batchNorm({axis, momentum: 0.5, ...cut, ...options});
      const out = tf.layers.dense({units: 1});
      const loss = (): tf.Scalar => {
        const y = layer.apply(x, {training: true}) as tf.Tensor;
        const flat = tf.reshape(y, [8, -1]);
        const found = tf.reshape(out.apply(flat) as tf.Tensor, [8]);
        return tf.losses.meanSquaredError(target, found);
      };
      const optimizer = tf.train.sgd(0.001);
      // Until the averages have nearly come to where they stay.
      for (let i = 0; i < 5; i++) tf.tidy(loss);
      const losses = Array.from(
        {length: 3},
        () => optimizer.minimize(loss, true)?.dataSync()[0] ?? NaN,
      );
      expect([options, (losses[2] ?? NaN) < (losses[0] ?? NaN)]).toEqual([
        options,
        true,
      ]);
      const before = weightsOf(layer);
      layer.apply(tf.mul(x, 1.5), {training: true});
      const {gamma, beta, ...state} = weightsOf(layer);
      expect([gamma !== undefined, beta !== undefined]).toEqual([
        options.scale,
        options.center,
      ]);
      for (const [name, values] of Object.entries(state)) {
        expect([options, name, values.every(Number.isFinite)]).toEqual([
          options,
          name,
          true,
        ]);
        const stays = options.statistics === 'moving';
        expect([
          options,
          name,
          JSON.stringify(values) === JSON.stringify(before[name]),
        ]).toEqual([options, name, stays]);
      }
      const config = layer.getConfig();
      expect(BatchNorm.fromConfig(BatchNorm, config).getConfig()).toEqual(
        config,
      );
      layer.dispose();
      out.dispose();
      optimizer.dispose();
    };
    const [first] = OTHERS;
    if (first !== undefined)
      tf.tidy(() => {
        step(first);
      });
    const {numTensors} = tf.memory();
    for (const options of others) {
      tf.tidy(() => {
        step(options);
      });
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
