import * as tf from '@tensorflow/tfjs';
import {inspect, recalibrate} from 'tfjs-normalization';
import {at} from '../oracle/at.js';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {expectCloseNow} from '../support/close.js';
import {
  CASES,
  KINDS,
  type Layer,
  LENGTH,
  type Mask,
  MOMENTUM,
  SHAPE,
  WORDS,
} from '../support/masked_graphs.js';
import {magnitude, valuesOf, weightsOf} from '../support/tensors.js';

/** Sums of up to 16 values, a root, products, and a step of the moving averages. */
const ROUNDINGS = 16;
const EPSILON = 1e-3;

const input = (): tf.Tensor => tf.tensor(WORDS, [LENGTH, LENGTH]);

interface Known {
  mean: number[];
  variance: number[];
}

/** Statistics of data, and the size of the values, which cancel in the mean. */
interface Batch extends Known {
  size: number;
}

const statisticsOf = (norm: Layer): Known => {
  const {moving_mean: mean = [], moving_variance: variance = []} =
    weightsOf(norm);
  return {mean, variance};
};

/**
 * Expects y to be x normalized by these statistics, or by its own under the
 * mask.
 */
function expectNormalized(
  outputs: tf.Tensor[],
  mask: Mask,
  given?: Known,
): Batch {
  const [x, y] = outputs.slice(-2);
  const expected = normalized(x, mask, given);
  expectCloseNow(y as tf.Tensor, expected.y, {what: 'y', roundings: ROUNDINGS});
  return expected;
}

function normalized(
  x: tf.Tensor | undefined,
  mask: Mask,
  given?: Known,
): Batch & {y: number[]} {
  const values = valuesOf(x as tf.Tensor);
  const {y, mean, variance} = oracle(values, SHAPE, {
    axis: -1,
    epsilon: EPSILON,
    given,
    mask: mask && {values: mask, shape: [LENGTH, LENGTH]},
  });
  const size = magnitude(values);
  return {y: [...y], mean: [...mean], variance: [...variance], size};
}

/** Returns the input of a layer in a model. */
const hiddenOf = (made: tf.LayersModel): tf.Tensor | undefined =>
  (made.predict(input()) as tf.Tensor[]).at(-2);

const moved = (old: number[], batch: number[]): number[] =>
  old.map((value, i) => value * MOMENTUM + at(batch, i) * (1 - MOMENTUM));

/** Expects the statistics to have moved to those of this batch. */
function expectMoved(norm: Layer, start: Known, batch: Batch): void {
  const {mean, variance} = statisticsOf(norm);
  expectCloseNow(mean, moved(start.mean, batch.mean), {
    what: 'mean',
    roundings: ROUNDINGS,
    scale: batch.size,
  });
  expectCloseNow(variance, moved(start.variance, batch.variance), {
    what: 'variance',
    roundings: ROUNDINGS,
  });
}

const compiled = (made: tf.LayersModel): tf.LayersModel => {
  made.compile({optimizer: tf.train.sgd(0), loss: 'meanSquaredError'});
  return made;
};

const targets = (made: tf.LayersModel): tf.Tensor[] =>
  made.outputs.map(() => tf.zeros(SHAPE));

describe.each(KINDS)('F1: %s in a model', (_, kind) => {
  describe.each(CASES)('%s', (__, build, mask) => {
    it('trains by apply, trainOnBatch and fit', async () => {
      const {model: made, norm} = kind(build);
      for (let step = 0; step < 2; step++) {
        const start = statisticsOf(norm);
        const outputs = made.apply(input(), {training: true}) as tf.Tensor[];
        expectMoved(norm, start, expectNormalized(outputs, mask));
      }
      const batch = normalized(hiddenOf(made), mask);
      compiled(made);
      let start = statisticsOf(norm);
      await made.trainOnBatch(input(), targets(made));
      expectMoved(norm, start, batch);
      start = statisticsOf(norm);
      await made.fit(input(), targets(made), {batchSize: LENGTH, verbose: 0});
      expectMoved(norm, start, batch);
    });

    it('trains before any other use', async () => {
      const {model: made, norm} = kind(build);
      const start = statisticsOf(norm);
      await compiled(made).trainOnBatch(input(), targets(made));
      const after = statisticsOf(norm);
      const {mean, size} = normalized(hiddenOf(made), mask);
      expectCloseNow(after.mean, moved(start.mean, mean), {
        what: 'mean',
        roundings: ROUNDINGS,
        scale: size,
      });
    });

    it('predicts the same with and without a mask', () => {
      const {model: made, norm} = kind(build);
      tf.dispose(made.apply(input(), {training: true}) as tf.Tensor[]);
      const given = statisticsOf(norm);
      expectNormalized(made.predict(input()) as tf.Tensor[], mask, given);
      expectNormalized(
        made.predictOnBatch(input()) as tf.Tensor[],
        mask,
        given,
      );
      const outputs = made.apply(input()) as tf.Tensor[];
      expectNormalized(outputs, mask, given);
      const scores = compiled(made).evaluate(
        input(),
        targets(made),
      ) as tf.Scalar[];
      const expected = outputs.map((y) =>
        at(valuesOf(tf.mean(tf.square(y))), 0),
      );
      expectCloseNow(
        scores.slice(-outputs.length).flatMap(valuesOf),
        expected,
        {what: 'a score', roundings: ROUNDINGS},
      );
      expect(statisticsOf(norm)).toEqual(given);
    });

    it('is recalibrated and inspected', async () => {
      const {model: made, norm} = kind(build);
      const {mean, variance, size} = normalized(hiddenOf(made), mask);
      for (const exact of [false, true]) {
        await recalibrate(made, input(), {exact});
        const found = statisticsOf(norm);
        expectCloseNow(found.mean, mean, {
          what: 'mean',
          roundings: ROUNDINGS,
          scale: size,
        });
        expectCloseNow(found.variance, variance, {
          what: 'variance',
          roundings: ROUNDINGS,
        });
      }
      const rows = await inspect(made, input());
      const row = rows.find(({layer}) => layer.endsWith(norm.name));
      expectCloseNow([row?.data?.meanGap ?? NaN], [0], {
        what: 'meanGap',
        roundings: ROUNDINGS,
        scale: 1,
      });
    });
  });
});
