// The course of recalibrating: progress, cancelling, failures, refusals.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  freezeBatchNorm,
  normalization,
  recalibrate,
  type RecalibrateOptions,
} from 'tfjs-normalization';
import {allWeights, through} from '../../support/models.js';
import {weightsOf} from '../../support/tensors.js';
import {cutInto} from '../../support/datasets.js';
import {
  CUT,
  deepModel,
  driftingData,
  expectStatistics,
} from '../../support/deep_model.js';

describe('recalibrate, followed', () => {
  it('reports every batch of all passes', async () => {
    const seen: unknown[] = [];
    const onProgress: RecalibrateOptions['onProgress'] = (p) => seen.push(p);
    await recalibrate(deepModel(), driftingData(), {
      batchSize: 64,
      exact: true,
      onProgress,
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6].map((done) => ({done, total: 6})));
  });

  it('uses at most this many batches', async () => {
    const x = driftingData();
    for (const data of [x, cutInto(x, [16, 16, 16, 16])]) {
      const totals: unknown[] = [];
      const layer = batchNorm({inputShape: [6]});
      await recalibrate(tf.sequential({layers: [layer]}), data, {
        ...(data === x && {batchSize: 16}),
        batches: 2,
        onProgress: ({done}) => totals.push(done),
      });
      expect(totals).toEqual([1, 2]);
      expectStatistics(layer, tf.slice(x, 0, 32));
    }
  });

  it.each([false, true])(
    'keeps the old statistics if cancelled (exact: %s)',
    async (exact) => {
      const model = deepModel();
      const x = driftingData();
      await recalibrate(model, x);
      const before = allWeights(model);
      const {numTensors} = tf.memory();
      const controller = new AbortController();
      const job = recalibrate(
        model,
        tf.tidy(() => tf.keep(tf.add(x, 1))),
        {
          batchSize: 16,
          exact,
          signal: controller.signal,
          onProgress: ({done}) => {
            if (done === (exact ? 17 : 3)) controller.abort();
          },
        },
      );
      await expect(job).rejects.toMatchObject({name: 'AbortError'});
      expect(allWeights(model)).toEqual(before);
      expect(tf.memory().numTensors).toBe(numTensors + 1);
    },
  );

  it('keeps the old statistics if it fails half way', async () => {
    const model = deepModel();
    const before = allWeights(model);
    const {numTensors} = tf.memory();
    const broken = tf.data.generator(function* () {
      yield tf.ones([4, 6]);
      yield tf.ones([4, 5]);
    });
    await expect(recalibrate(model, broken)).rejects.toThrow('5');
    expect(allWeights(model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('ignores other calls of a layer', async () => {
    const train = async (alongside: boolean): Promise<number[]> => {
      const layer = batchNorm({inputShape: [6]});
      const model = tf.sequential({layers: [layer]});
      const x = driftingData();
      await recalibrate(model, x, {
        batchSize: 8,
        onProgress: () => {
          if (alongside) layer.apply(tf.add(x, 1), {training: true});
        },
      });
      return weightsOf(layer).moving_mean ?? [];
    };
    expect(await train(true)).toEqual(await train(false));
  });

  it('leaks nothing', async () => {
    const x = driftingData();
    const model = deepModel();
    const {numTensors} = tf.memory();
    await recalibrate(model, x, {exact: true});
    await recalibrate(
      model,
      cutInto(x, CUT, (b) => [b, tf.ones([b.shape[0], 3])]),
    );
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe('recalibrate refuses', () => {
  const x = (): tf.Tensor => tf.ones([4, 6]);

  it.each<[string, () => Promise<void>, string]>([
    [
      'a model without BatchNorm',
      () =>
        recalibrate(
          tf.sequential({
            name: 'plain',
            layers: [tf.layers.dense({units: 1, inputShape: [6]})],
          }),
          x(),
        ),
      'recalibrate: the model has no BatchNorm and no Normalization that gets ' +
        'statistics from data; those that are frozen, a BatchNorm whose statistics ' +
        "are 'moving' and a Normalization whose mean was given keep theirs. " +
        'Received: model="plain"',
    ],
    [
      'a model that is all frozen',
      () => {
        const model = deepModel();
        freezeBatchNorm(model);
        return recalibrate(model, x());
      },
      'has no BatchNorm and no Normalization that gets statistics',
    ],
    [
      'a model of Normalizations that are frozen or given their mean',
      () =>
        recalibrate(
          tf.sequential({
            layers: [
              normalization({trainable: false, inputShape: [6]}),
              normalization({mean: 0, variance: 1}),
            ],
          }),
          x(),
        ),
      'has no BatchNorm and no Normalization that gets statistics',
    ],
    [
      'a batch size of 0',
      () => recalibrate(deepModel(), x(), {batchSize: 0}),
      'recalibrate: batchSize must be an integer above 0. Received: batchSize=0',
    ],
    [
      'half a batch',
      () => recalibrate(deepModel(), x(), {batches: 0.5}),
      'recalibrate: batches must be an integer above 0. Received: batches=0.5',
    ],
    [
      'a batch size for a dataset',
      () => recalibrate(deepModel(), cutInto(x(), [4]), {batchSize: 2}),
      'recalibrate: batchSize is for tensors; batch a dataset with its own ' +
        'batch(). Received: batchSize=2',
    ],
    [
      'no data',
      () => recalibrate(deepModel(), tf.zeros([0, 6])),
      'recalibrate: the data has no examples. Received: examples=0',
    ],
    [
      'an empty dataset',
      () => recalibrate(deepModel(), cutInto(x(), [])),
      'recalibrate: the data has no examples. Received: examples=0',
    ],
    [
      'data other than a tensor',
      () => recalibrate(deepModel(), [[1, 2]] as unknown as tf.Tensor),
      'recalibrate: x must be a tensor for each of',
    ],
    [
      'x and y of different lengths',
      () => recalibrate(deepModel(), [x(), tf.ones([5, 3])]),
      'recalibrate: x and y must have the same number of examples. ' +
        'Received: lengths=[4,5]',
    ],
  ])('%s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
  });

  it('exact statistics of a layer that comes after itself', async () => {
    const layer = batchNorm({name: 'twice'});
    const input = tf.input({shape: [2]});
    const outputs = through(layer, through(layer, input));
    const model = tf.model({inputs: input, outputs});
    await expect(
      recalibrate(model, tf.ones([4, 2]), {exact: true}),
    ).rejects.toThrow(
      'recalibrate: twice is used again after itself, so its statistics ' +
        'depend on themselves and cannot be found exactly. Received: exact=true',
    );
  });
});
