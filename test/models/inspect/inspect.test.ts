import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  formatInspection,
  freezeBatchNorm,
  inspect,
  type InspectionRow,
  layerNorm,
  recalibrate,
} from 'tfjs-normalization';
import {expectCloseNow} from '../../support/close.js';
import {allWeights, mixedModel, through} from '../../support/models.js';
import {trainsStockLayers} from '../../support/stock_training.js';
import {randomTensor, valuesOf} from '../../support/tensors.js';

const problemsOf = (rows: readonly InspectionRow[]): string[] =>
  rows.flatMap(({problems}) => problems);

/** Returns a layer with these weights. */
function layerWith(
  weights: Partial<Record<'gamma' | 'beta' | 'mean' | 'variance', number[]>>,
): tf.LayersModel {
  const layer = batchNorm({name: 'norm', inputShape: [4]});
  const model = tf.sequential({layers: [layer]});
  const {gamma = [1, 1, 1, 1], beta = [0, 0, 0, 0]} = weights;
  const {mean = [1, 2, 3, 4], variance = [1, 2, 3, 4]} = weights;
  layer.setWeights([gamma, beta, mean, variance].map((w) => tf.tensor1d(w)));
  return model;
}

describe('inspect', () => {
  it('gives a row for each normalization, with the ranges of its weights', async () => {
    const inner = tf.sequential({
      name: 'inner',
      layers: [
        tf.layers.dense({units: 3, inputShape: [4]}),
        layerNorm({name: 'ln'}),
        tf.layers.batchNormalization({name: 'stock', scale: false}),
        tf.layers.layerNormalization({name: 'stock_ln'}),
      ],
    });
    const input = tf.input({shape: [4]});
    const bn = batchNorm({name: 'bn', axis: [1]});
    const model = tf.model({
      inputs: input,
      outputs: through(inner, through(bn, input)),
    });
    bn.setWeights([
      tf.tensor1d([1, 2, 3, 4]),
      tf.tensor1d([0, -1, 0, 1]),
      tf.tensor1d([5, 5, 5, 6]),
      tf.tensor1d([0.5, 1, 1, 1]),
    ]);
    const rows = await inspect(model);
    expect(rows.map(({layer, kind}) => [layer, kind])).toEqual([
      ['bn', 'BatchNorm'],
      ['inner/ln', 'LayerNorm'],
      ['inner/stock', 'BatchNormalization'],
      ['inner/stock_ln', 'LayerNormalization'],
    ]);
    expect(rows[0]).toEqual({
      layer: 'bn',
      kind: 'BatchNorm',
      axis: [1],
      weights: {
        gamma: {min: 1, max: 4},
        beta: {min: -1, max: 1},
        moving_mean: {min: 5, max: 6},
        moving_variance: {min: 0.5, max: 1},
      },
      problems: [],
    });
    expect(Object.keys(rows[2]?.weights ?? {})).toEqual([
      'beta',
      'moving_mean',
      'moving_variance',
    ]);
    expect(rows.prediction).toBeUndefined();
    expect(rows.explanation).toBeUndefined();
  });

  it('compares the statistics of BatchNorm alone, beside UnitNorm and SpectralNorm', async () => {
    const model = mixedModel();
    const x = randomTensor([32, 3], 1);
    await recalibrate(model, x);
    const before = allWeights(model);
    const rows = await inspect(model, x);
    expect(
      rows.map(({layer, kind, data, problems}) => [
        ...[layer, kind, data !== undefined, problems],
      ]),
    ).toEqual([
      ['spectral', 'SpectralNormalization', false, []],
      ['norm', 'BatchNorm', true, []],
      ['unit', 'UnitNormalization', false, []],
    ]);
    expect(allWeights(model)).toEqual(before);
    const [, bias, u] = model.layers[0]?.getWeights() ?? [];
    const kernel = tf.tensor2d([NaN, ...Array<number>(11).fill(1)], [3, 4]);
    model.layers[0]?.setWeights([kernel, bias, u] as tf.Tensor[]);
    expect((await inspect(model))[0]?.problems).toEqual([
      'kernel is not finite in 1 of 12 values',
    ]);
  });

  it.each<[string, Parameters<typeof layerWith>[0], string[]]>([
    ['nothing', {}, []],
    [
      'dead channels',
      {gamma: [0, 1, 1e-9, 1]},
      ['gamma is 0 in 2 of 4 channels, which let nothing of the input through'],
    ],
    [
      'values that are not finite',
      {beta: [NaN, 0, Infinity, 0], variance: [1, 1, 1, NaN]},
      [
        'beta is not finite in 2 of 4 values',
        'moving_variance is not finite in 1 of 4 values',
      ],
    ],
    [
      'statistics that never moved',
      {mean: [0, 0, 0, 0], variance: [1, 1, 1, 1]},
      ['the moving statistics have never moved: mean 0, variance 1'],
    ],
    [
      'negative variances',
      {variance: [-1, 1, 1, 1]},
      ['the moving variance is negative in 1 of 4 channels'],
    ],
    [
      'constant input',
      {variance: [0, 0, 0, 1]},
      ['the moving variance is 0 in 3 of 4 channels: their input is constant'],
    ],
    [
      'small variances',
      {variance: [1e-5, 2e-4, 1, 1]},
      [
        'the moving variance is below a tenth of epsilon in 1 of 4 channels: ' +
          'epsilon decides their scale',
      ],
    ],
  ])('finds %s', async (_, weights, problems) => {
    expect(problemsOf(await inspect(layerWith(weights)))).toEqual(problems);
  });

  it('finds an average that is still mostly its initial value', async () => {
    const layer = batchNorm({momentum: 0.9, inputShape: [2]});
    const model = tf.sequential({layers: [layer]});
    layer.apply(randomTensor([8, 2], 1), {training: true});
    expect(problemsOf(await inspect(model))).toEqual([
      'the moving statistics are still 90% initial value',
    ]);
  });

  it('of a model without normalizations has no rows', async () => {
    const dense = tf.layers.dense({units: 1, inputShape: [2]});
    const rows = await inspect(
      tf.sequential({layers: [dense]}),
      tf.ones([2, 2]),
    );
    expect(rows).toHaveLength(0);
    expect(formatInspection(rows)).toBe(
      'The model has no normalization layers.',
    );
  });
});

describe('inspect with data', () => {
  it('compares the moving statistics with those of the data', async () => {
    const model = layerWith({mean: [0, 0, 0, 0], variance: [4, 4, 4, 16]});
    // Each column has mean 3 and variance 4.
    const x = tf.tensor2d([1, 1, 1, 1, 5, 5, 5, 5], [2, 4]);
    const [row] = await inspect(model, x);
    expect(row?.data?.mean).toEqual({min: 3, max: 3});
    expect(row?.data?.variance).toEqual({min: 4, max: 4});
    // epsilon, the root and a division.
    expectCloseNow([row?.data?.meanGap ?? NaN], [3 / Math.sqrt(4.001)], {
      what: 'meanGap',
      roundings: 8,
    });
    // epsilon, twice, and a division.
    expectCloseNow([row?.data?.varianceFactor ?? NaN], [16.001 / 4.001], {
      what: 'varianceFactor',
      roundings: 8,
    });
    expect(row?.problems).toEqual([
      'the moving statistics are not those of the data: a mean is off by 1.5 ' +
        'standard deviations, a variance by a factor of 4.0',
    ]);
  });

  it('finds nothing wrong if they are those of the data', async () => {
    const x = randomTensor([100, 3], 1, 5, 2);
    const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
    await recalibrate(model, x);
    const inspection = await inspect(model, x);
    expect(problemsOf(inspection)).toEqual([]);
    expect(inspection.explanation).toBeUndefined();
  });

  it('compares frozen layers too, with the statistics they use', async () => {
    const [first, second] = [batchNorm({inputShape: [3]}), batchNorm()];
    const model = tf.sequential({layers: [first, second]});
    freezeBatchNorm(model);
    second.trainable = true;
    const x = randomTensor([100, 3], 1, 5, 2);
    for (const exact of [false, true]) {
      const rows = await inspect(model, x, {exact});
      // The first does not standardize, so the second gets the data's
      // statistics.
      expect(rows[0]?.data?.meanGap).toBeGreaterThan(2);
      expect(rows[1]?.data?.mean.min).toBeGreaterThan(4);
    }
  });

  it('writes nothing, trains nothing, leaks nothing, and reports progress', async () => {
    const model = tf.sequential();
    model.add(tf.layers.dense({units: 2, inputShape: [3]}));
    model.add(batchNorm());
    model.add(tf.layers.dropout({rate: 0.5}));
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const before = allWeights(model);
    const [x, y] = [randomTensor([64, 3], 1), tf.ones([64, 2])];
    const {numTensors} = tf.memory();
    const seen: unknown[] = [];
    const onProgress = (progress: unknown): void => void seen.push(progress);
    await inspect(model, [x, y], {batchSize: 32, onProgress});
    await inspect(model, x, {batchSize: 64, onProgress});
    expect(seen).toEqual([
      ...[1, 2, 3, 4].map((done) => ({done, total: 4})),
      {done: 1, total: 1},
    ]);
    expect(tf.memory().numTensors).toBe(numTensors);
    expect(allWeights(model)).toEqual(before);
  });

  it('returns the same loss and metrics as evaluate', async () => {
    const model = tf.sequential();
    model.add(tf.layers.dense({units: 3, inputShape: [3]}));
    model.add(batchNorm());
    const loss = 'categoricalCrossentropy';
    model.add(tf.layers.softmax());
    model.compile({optimizer: 'sgd', loss, metrics: ['accuracy']});
    const x = randomTensor([50, 3], 1, 4, 2);
    const classes = Array.from({length: 50}, (_, i) => i % 3);
    const y = tf.oneHot(tf.tensor1d(classes, 'int32'), 3);
    const {prediction} = await inspect(
      model,
      {xs: x, ys: y},
      {batchSize: 16, exact: true},
    );
    const scores = (): number[] =>
      (model.evaluate(x, y) as tf.Scalar[]).flatMap((scalar) =>
        valuesOf(scalar),
      );
    const expectScores = (
      actual: object | undefined,
      expected: number[],
    ): void => {
      expect(Object.keys(actual ?? {})).toEqual(['loss', 'acc']);
      Object.values(actual ?? {}).forEach((value, i) => {
        // A prediction, its logarithm or its class, and the mean of 50.
        expectCloseNow([value], [expected[i] ?? NaN], {
          what: 'a score',
          roundings: 16,
        });
      });
    };
    expectScores(prediction?.moving, scores());
    await recalibrate(model, x, {exact: true});
    expectScores(prediction?.data, scores());
  });

  // The early epochs of a training at a high rate, with Keras's momentum.
  it('explains why training is good and prediction poor', async () => {
    trainsStockLayers();
    const model = tf.sequential({name: 'lagging'});
    // Every run starts the same, since five epochs depend on the initial
    // weights.
    const start = (
      seed: number,
    ): {
      kernelInitializer: ReturnType<typeof tf.initializers.glorotNormal>;
    } => ({
      kernelInitializer: tf.initializers.glorotNormal({seed}),
    });
    model.add(
      tf.layers.dense({units: 8, useBias: false, inputShape: [2], ...start(5)}),
    );
    model.add(batchNorm({name: 'norm'}));
    model.add(tf.layers.activation({activation: 'sigmoid'}));
    model.add(tf.layers.dense({units: 2, activation: 'softmax', ...start(6)}));
    model.compile({
      optimizer: tf.train.sgd(1),
      loss: 'categoricalCrossentropy',
      metrics: ['accuracy'],
    });
    const x = tf.randomNormal([120, 2], 20, 4, 'float32', 3);
    const labels = tf
      .greater(x.slice([0, 0], [120, 1]), 20)
      .toInt()
      .flatten();
    const y = tf.oneHot(labels, 2);
    const {history} = await model.fit(x, y, {
      epochs: 5,
      batchSize: 30,
      shuffle: false,
      verbose: 0,
    });
    expect(history.acc?.at(-1)).toBeGreaterThan(0.85);
    const inspection = await inspect(model, [x, y]);
    const {prediction, explanation} = inspection;
    expect(prediction?.moving.acc).toBeLessThan(0.7);
    expect(prediction?.data.acc).toBeGreaterThan(0.85);
    expect(explanation).toMatch(
      /^With its moving statistics the model has loss [\d.]+, acc 0\.[3-6]\d+; with those of the data loss [\d.]+, acc (1.00|0\.[89]\d+)\. Training uses the statistics of each batch, prediction the moving ones, and these are not those of the data in norm\. So training shows the better result, and prediction the worse one, with the same weights\. recalibrate\(model, data\) sets them right;/,
    );
    expect(problemsOf(inspection)[0]).toMatch(/still 8\d% initial value/);
    await recalibrate(model, x);
    expect((await inspect(model, [x, y])).explanation).toBeUndefined();
  });

  it('reports that only the statistics differ, not the loss', async () => {
    const model = layerWith({mean: [9, 9, 9, 9]});
    const x = randomTensor([40, 4], 1);
    const {explanation} = await inspect(model, x);
    expect(explanation).toContain('So prediction may be worse than training.');
    model.compile({optimizer: 'sgd', loss: () => tf.scalar(1)});
    const again = await inspect(model, [x, x]);
    expect(again.explanation).toMatch(/Prediction is no worse for it\.$/);
    model.compile({optimizer: 'sgd', loss: () => tf.scalar(NaN)});
    const unknown = await inspect(model, [x, x]);
    expect(unknown.explanation).toMatch(
      /has loss NaN; with those of the data loss NaN\./,
    );
    expect(unknown.explanation).not.toMatch(/better|worse/);
  });

  it('refuses data that does not fit the model', async () => {
    await expect(
      inspect(layerWith({}), [1] as unknown as tf.Tensor),
    ).rejects.toThrow(
      'inspect: x must be a tensor for each of norm_input. Received: x=[1]',
    );
  });
});

describe('formatInspection', () => {
  it('aligns a row for each layer, with the problems below', async () => {
    const layer = batchNorm({name: 'norm', inputShape: [2]});
    const model = tf.sequential({
      layers: [layer, layerNorm({name: 'ln', center: false})],
    });
    layer.setWeights(
      [
        [0, 1],
        [-0.12345, 12345678],
        [1e-7, 2],
        [1, 3],
      ].map((w) => tf.tensor1d(w)),
    );
    expect(formatInspection(await inspect(model)).split('\n')).toEqual([
      'layer  kind       axis  gamma  beta             moving_mean  moving_variance',
      '────────────────────────────────────────────────────────────────────────────',
      'norm   BatchNorm  -1    0 … 1  -0.123 … 1.2e+7  1.0e-7 … 2   1 … 3',
      'ln     LayerNorm  -1    1',
      '',
      'norm: gamma is 0 in 1 of 2 channels, which let nothing of the input through',
    ]);
  });

  it('reports that nothing looks wrong, and adds the findings from data', async () => {
    const model = layerWith({});
    expect(formatInspection(await inspect(model))).toMatch(
      /\n\nNothing looks wrong\.$/,
    );
    const text = formatInspection(
      await inspect(model, randomTensor([9, 4], 1)),
    );
    expect(text).toContain('mean of data');
    expect(text).toContain('Training uses the statistics of each batch');
    const [table, ...rest] = text.split('\n\n');
    expect(table).toContain('variance of data');
    for (const line of rest.join('\n').split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});
