import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, patchStockLayers} from 'tfjs-normalization';
import {
  type Given,
  type KerasBatchNormCase,
  readFixture,
  type Variant,
} from '../fixtures/fixtures.js';
import {
  built,
  type CallOptions,
  expectMoved,
  expectOutcome,
  type Found,
  run,
  setWeights,
  weightOf,
} from '../fixtures/layer_run.js';
import {expectClose} from '../support/close.js';
import {constraintRoundings} from '../support/epsilon.js';

// Numbers by Keras 3.15.1 in float64, from test/fixtures/make.py.
const batchNorms = readFixture('keras_batch_norm');
const layerNorms = readFixture('keras_layer_norm');

/*
 * Roundings of the largest value. A statistic here has at most 24 values: a sum
 * of numbers up to 3 deviations off, rounded 24 times in random directions (√24
 * ≈ 5). y takes both and four operations; dx takes y's factor and two more such
 * sums, and dgamma and dbeta are such sums of products. Observed for y and dx:
 * a little over half, on three backends.
 */
const ROUNDINGS = {y: 8, dx: 16, dgamma: 16, dbeta: 16};
const STATISTIC_ROUNDINGS = 8;

type BatchNormOptions = Parameters<typeof batchNorm>[0];
type LayerNormOptions = Parameters<typeof layerNorm>[0];

interface Makers {
  name: string;
  patched: boolean;
  batch: (options: BatchNormOptions) => tf.layers.Layer;
  layer: (options: LayerNormOptions) => tf.layers.Layer;
}

const MAKERS: Makers[] = [
  {
    name: 'these layers',
    patched: false,
    batch: batchNorm,
    layer: layerNorm,
  },
  {
    name: "tf.js's own, patched",
    patched: true,
    batch: (options) =>
      tf.layers.batchNormalization(
        options as Parameters<typeof tf.layers.batchNormalization>[0],
      ),
    layer: (options) =>
      tf.layers.layerNormalization(
        options as Parameters<typeof tf.layers.layerNormalization>[0],
      ),
  },
];

describe.each(MAKERS)('Keras and $name', ({patched, batch, layer}) => {
  let unpatch = (): void => undefined;

  beforeAll(() => {
    if (patched) unpatch = patchStockLayers();
  });

  afterAll(() => unpatch());

  const builtBatchNorm = (
    {shape, options, weights}: KerasBatchNormCase,
    {center, scale}: Variant,
  ): tf.layers.Layer =>
    built(batch({...options, center, scale}), shape, weights);

  describe.each(titled(batchNorms.cases))(
    'batch norm of %s',
    (_, given, variant) => {
      it('predicts, with gradients', async () => {
        const norm = builtBatchNorm(given, variant);
        const found = runOn(norm, given, {training: false});
        await expectOutcome(found, variant.inference, ROUNDINGS);
        await expectUnmoved(norm, given);
      });

      it('trains, with gradients and moving statistics', async () => {
        const norm = builtBatchNorm(given, variant);
        const found = runOn(norm, given, {training: true});
        await expectOutcome(found, variant.training, ROUNDINGS);
        await expectMoved(norm, variant.training, STATISTIC_ROUNDINGS);
      });
    },
  );

  /*
   * Keras divides by the number of values plus 1e-7, which for 5 or more values
   * is at most a third of a rounding.
   */
  describe.each(titled(batchNorms.masked))(
    'F1, F12: batch norm of %s',
    (_, given, variant) => {
      const {shape, mask: {shape: lengths, values} = {shape: [], values: []}} =
        given;
      const masked = (): CallOptions => ({
        mask: tf.tensor(values, lengths, 'bool'),
      });

      it('predicts, with gradients', async () => {
        const norm = builtBatchNorm(given, variant);
        const found = runOn(norm, given, {training: false, ...masked()});
        await expectOutcome(found, variant.inference, ROUNDINGS);
        await expectUnmoved(norm, given);
      });

      it('trains, with gradients and moving statistics', async () => {
        const norm = builtBatchNorm(given, variant);
        const found = runOn(norm, given, {training: true, ...masked()});
        await expectOutcome(found, variant.training, ROUNDINGS);
        await expectMoved(norm, variant.training, STATISTIC_ROUNDINGS);
      });

      it('has the same statistics with NaN under the mask', async () => {
        const norm = builtBatchNorm(given, variant);
        const counts = countsOf(shape, lengths, values);
        const x = given.x.map((value, i) => (counts[i] ? value : NaN));
        const found = runOn(norm, {...given, x}, {training: true, ...masked()});
        const y = await found.y.data();
        const keep = (all: ArrayLike<number>): number[] =>
          counts.flatMap((count, i) => (count ? [all[i] ?? NaN] : []));
        await expectClose(keep(y), keep(variant.training.y), {
          what: 'y where the mask is true',
          roundings: ROUNDINGS.y,
        });
        const {dx, dgamma, dbeta} = found;
        for (const each of [found.y, dx, dgamma, dbeta]) {
          expect((await each?.data())?.every(Number.isFinite)).toBe(true);
        }
        await expectMoved(norm, variant.training, STATISTIC_ROUNDINGS);
      });
    },
  );

  it('a frozen batch norm predicts in training and does not change', async () => {
    const {shape, x, weights, y, ...moved} = batchNorms.frozen;
    const norm = built(batch({}), shape, weights);
    norm.trainable = false;
    const found = norm.apply(tf.tensor(x, shape), {training: true});
    await expectClose(found as tf.Tensor, y, {
      what: 'y',
      roundings: ROUNDINGS.y,
      shape,
    });
    await expectMoved(norm, moved, STATISTIC_ROUNDINGS);
  });

  it.each(batchNorms.regularized)(
    'the loss of regularizers: $regularizers',
    async ({regularizers: {gamma, beta}, weights, loss}) => {
      const norm = built(
        batch({
          gammaRegularizer: gamma ? tf.regularizers.l1l2(gamma) : undefined,
          betaRegularizer: beta ? tf.regularizers.l1l2(beta) : undefined,
        }),
        [null, 4],
        weights,
      );
      const losses = norm.calculateLosses().map((each) => each.arraySync());
      // Two sums of four positive numbers.
      await expectClose([losses.reduce((a, b) => a + b)], [loss], {
        what: 'loss',
        roundings: 4,
      });
    },
  );

  it.each(batchNorms.constrained)(
    'gamma in training under $constraint',
    async ({constraint, options, gamma, steps, learningRate, ...data}) => {
      const norm = batch({
        gammaConstraint: constraintOf(constraint, options),
        inputShape: data.shape.slice(1),
      });
      const model = tf.sequential({layers: [norm]});
      setWeights(norm, {
        gamma,
        beta: [0, 0, 0, 0],
        moving_mean: [0, 0, 0, 0],
        moving_variance: [1, 1, 1, 1],
      });
      model.compile({
        optimizer: tf.train.sgd(learningRate),
        loss: 'meanSquaredError',
      });
      const x = tf.tensor(data.x, data.shape);
      const targets = tf.tensor(data.targets, data.shape);
      for (const expected of steps) {
        await model.trainOnBatch(x, targets);
        await expectClose(weightOf(norm, 'gamma'), expected, {
          what: 'gamma',
          roundings: ROUNDINGS.dgamma + constraintRoundings(),
        });
      }
    },
  );

  describe.each(titled(layerNorms.cases))(
    'layer norm of %s',
    (_, given, variant) => {
      // Training and prediction are the same.
      it.each([true, false])('training: %s', async (training) => {
        const {shape, options, weights} = given;
        const {center, scale, result} = variant;
        const norm = layer({...options, center, scale});
        const found = runOn(built(norm, shape, weights), given, {training});
        await expectOutcome(found, result, ROUNDINGS);
      });
    },
  );
});

// Divided by the deviation and not centered, which stock tf.js does not have.
describe.each(titled(layerNorms.rmsScaling))(
  'Keras, layer norm with rmsScaling of %s',
  (_, given, variant) => {
    it('agrees', async () => {
      const {shape, options, weights} = given;
      const {center, scale, result} = variant;
      const norm = layerNorm({...options, rmsScaling: true, center, scale});
      const found = runOn(built(norm, shape, weights), given, {});
      await expectOutcome(found, result, ROUNDINGS);
    });
  },
);

/** Pairs each variant of each case with a title. */
function titled<G extends Given & {variants: readonly Variant[]}>(
  cases: readonly G[],
): Array<[string, G, G['variants'][number]]> {
  return cases.flatMap((given) =>
    given.variants.map((variant): [string, G, G['variants'][number]] => [
      `${given.name}, center ${variant.center}, scale ${variant.scale}`,
      given,
      variant,
    ]),
  );
}

function runOn(
  layer: tf.layers.Layer,
  {x, dy, shape}: Given,
  options: CallOptions,
): Found {
  return run(layer, tf.tensor(x, shape), tf.tensor(dy, shape), options);
}

/** Tells of each value if a mask keeps it. */
function countsOf(
  shape: readonly number[],
  lengths: number[],
  values: number[],
): boolean[] {
  const missing = shape.slice(lengths.length);
  const mask = tf.reshape(tf.tensor(values, lengths), [
    ...lengths,
    ...missing.map(() => 1),
  ]);
  return Array.from(tf.broadcastTo(mask, [...shape]).dataSync(), Boolean);
}

type Constraint = ReturnType<typeof tf.constraints.nonNeg>;

function constraintOf(
  name: 'nonNeg' | 'maxNorm' | 'unitNorm' | 'minMaxNorm',
  options: object,
): Constraint {
  const make: (options: object) => Constraint = tf.constraints[name];
  return make(options);
}

/** Expects the moving statistics to be those given, to the digit. */
async function expectUnmoved(
  layer: tf.layers.Layer,
  {weights}: Given,
): Promise<void> {
  for (const what of ['moving_mean', 'moving_variance']) {
    const expected = Float32Array.from(weights[what] ?? []);
    await expectClose(weightOf(layer, what), expected, {what, roundings: 0});
  }
}
