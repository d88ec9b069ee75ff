// The statistics that Normalization.adapt finds in data, however it is cut.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {type FeatureData, normalization} from 'tfjs-normalization';
import {batchNorm as oracle} from '../oracle/by_axes.js';
import {expectCloseNow} from '../support/close.js';
import {randomTensor, valuesOf, weightsOf} from '../support/tensors.js';
import {cutInto} from '../support/datasets.js';
import {adapted} from '../support/adapted.js';

describe('adapt', () => {
  const x = (): tf.Tensor => randomTensor([40, 3], 1, 5, 2);

  it('takes tensors, arrays and datasets, with and without labels', async () => {
    const data = x();
    const values = (await data.array()) as number[][];
    const y = (batch: tf.Tensor): tf.Tensor => tf.ones([batch.shape[0], 2]);
    const all: Array<[string, FeatureData]> = [
      ['a tensor', data],
      ['an array', values],
      ['typed arrays', values.map((v) => Float32Array.from(v))],
      ['[x, y]', [data, tf.ones([40])]],
      ['{xs}', {xs: data}],
      ['batches', cutInto(data, [10, 30])],
      ['batches [x, y]', cutInto(data, [10, 30], (b) => [b, y(b)])],
      [
        'batches {xs, ys}',
        cutInto(data, [10, 30], (xs) => ({xs, ys: {a: y(xs), b: [y(xs)]}})),
      ],
    ];
    const expected = weightsOf(await adapted(data));
    expect(expected.count).toEqual([40]);
    const {numTensors} = tf.memory();
    for (const [name, each] of all) {
      const layer = await adapted(each);
      expect([name, weightsOf(layer)]).toEqual([name, expected]);
      layer.weights.forEach((weight) => {
        weight.dispose();
      });
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('takes integers and booleans', async () => {
    const {mean, variance} = weightsOf(
      await adapted(tf.tensor2d([[1], [0], [1], [0]], [4, 1], 'bool')),
    );
    expect([mean, variance]).toEqual([[0.5], [0.25]]);
    const layer = await adapted([[2], [4]]);
    const y = layer.apply(tf.tensor2d([[2], [4]], [2, 1], 'int32'));
    expect(valuesOf(y as tf.Tensor)).toEqual([-1, 1]);
  });

  it('takes a vector where fit does', async () => {
    const layer = normalization({inputShape: [1]});
    const model = tf.sequential({layers: [layer]});
    await layer.adapt(tf.tensor1d([1, 3]));
    expect(weightsOf(layer)).toEqual({mean: [2], variance: [1], count: [2]});
    expect(valuesOf(model.predict(tf.tensor2d([[3]])) as tf.Tensor)).toEqual([
      1,
    ]);
  });

  it('starts afresh at each call', async () => {
    const layer = await adapted([[1], [3]]);
    await layer.adapt([[11], [15]]);
    expect(weightsOf(layer)).toEqual({mean: [13], variance: [4], count: [2]});
  });

  it('gives images of different sizes one mean for each channel', async () => {
    const images = [
      randomTensor([1, 4, 5, 2], 1),
      randomTensor([2, 3, 2, 2], 2),
    ];
    const layer = await adapted(
      tf.data.generator(function* () {
        yield* images.map((image) => image.clone());
      }),
    );
    const all = tf.concat(images.map((image) => tf.reshape(image, [-1, 2])));
    const expected = weightsOf(await adapted(all));
    expect(expected.count).toEqual([32]);
    const found = weightsOf(layer);
    expect(found.count).toEqual([32]);
    expectCloseNow(found.mean ?? [], expected.mean ?? [], {
      what: 'mean',
      roundings: 2,
    });
    expect((layer.apply(tf.ones([1, 7, 1, 2])) as tf.Tensor).shape).toEqual([
      1, 7, 1, 2,
    ]);
  });

  // The oracle sums in float64, too; what is stored is rounded once, and with it y.
  it('does not depend on how the data is cut, over any axes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({min: 1, max: 4}), {minLength: 1, maxLength: 3}),
        fc.array(fc.integer({min: 1, max: 6}), {minLength: 1, maxLength: 5}),
        fc.integer({min: 0, max: 7}),
        fc.constantFrom(0, 1, 1e4),
        fc.integer({min: 1, max: 1000}),
        async (rest, sizes, choice, mean, seed) => {
          const examples = sizes.reduce((a, b) => a + b);
          const shape = [examples, ...rest];
          const axis = rest.flatMap((_, i) =>
            (choice >> i) % 2 === 1 ? [i + 1] : [],
          );
          const data = randomTensor(shape, seed, mean, 2);
          const whole = await adapted(data, {axis});
          const parts = await adapted(cutInto(data, sizes), {axis});
          const expected =
            axis.length > 0
              ? oracle(valuesOf(data), shape, {axis, epsilon: 1})
              : oracle(valuesOf(data), [data.size, 1], {axis: 1, epsilon: 1});
          for (const layer of [whole, parts]) {
            const {
              mean: m = [],
              variance: v = [],
              count = [],
            } = weightsOf(layer);
            expectCloseNow(m, expected.mean, {what: 'mean', roundings: 1});
            expectCloseNow(v, expected.variance, {
              what: 'variance',
              roundings: 1,
            });
            expect(count).toEqual([expected.count[0]]);
            layer.weights.forEach((weight) => {
              weight.dispose();
            });
          }
          data.dispose();
        },
      ),
      {numRuns: 40},
    );
  });

  it('is exact for 200,000 values with a large mean', async () => {
    const n = 200_000;
    const values = Float32Array.from({length: n}, (_, i) => 4096 + (i % 2));
    const {mean, variance} = weightsOf(
      await adapted(tf.tensor2d(values, [n, 1])),
    );
    expect([mean, variance]).toEqual([[4096.5], [0.25]]);
    const sizes = [1, 9, 90, 900, 9000, 90_000, 100_000];
    const dataset = cutInto(tf.tensor2d(values, [n, 1]), sizes);
    expect(weightsOf(await adapted(dataset))).toEqual({
      mean: [4096.5],
      variance: [0.25],
      count: [n],
    });
  });

  it('reports progress, and stops when cancelled', async () => {
    const seen: unknown[] = [];
    const layer = normalization();
    const data = x();
    await layer.adapt(data, {onProgress: (progress) => seen.push(progress)});
    await layer.adapt(cutInto(data, [10, 30]), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([
      {done: 1, total: 1},
      {done: 1, total: undefined},
      {done: 2, total: undefined},
    ]);
    const before = weightsOf(layer);
    const {numTensors} = tf.memory();
    const controller = new AbortController();
    const job = layer.adapt(cutInto(tf.add(data, 1), [10, 30]), {
      signal: controller.signal,
      onProgress: () => {
        controller.abort();
      },
    });
    await expect(job).rejects.toMatchObject({name: 'AbortError'});
    expect(weightsOf(layer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors + 1);
  });

  it('cuts a large tensor for progress', async () => {
    const seen: unknown[] = [];
    await normalization().adapt(tf.ones([2 ** 18 + 1, 2]), {
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen).toEqual([1, 2, 3].map((done) => ({done, total: 3})));
  });

  it('leaves no tensor, and nothing changed where it fails', async () => {
    const layer = await adapted([[1], [3]]);
    const before = weightsOf(layer);
    const {numTensors} = tf.memory();
    await layer.adapt([[1], [3]]);
    expect(tf.memory().numTensors).toBe(numTensors);
    const broken = tf.data.generator(function* () {
      yield tf.ones([4, 1]);
      yield tf.ones([4, 2]);
    });
    await expect(layer.adapt(broken)).rejects.toThrow(
      'the data must have the shape that the layer was built for, [null,1]. ' +
        'Received: shape=[4,2]',
    );
    await expect(layer.adapt([[1], [NaN]])).rejects.toThrow(
      'the data has a value that is not finite, in feature 0 of 1',
    );
    expect(weightsOf(layer)).toEqual(before);
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
