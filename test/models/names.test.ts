// Layers are told apart by what they are and where they stand, whatever they are called.
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import {
  batchNorm,
  freezeBatchNorm,
  inspect,
  layerNorm,
  recalibrate,
  setStatistics,
} from 'tfjs-normalization';
import {REBUILDING} from '../support/rebuilding.js';
import {difference, randomTensor} from '../support/tensors.js';

/** Parts of each other, and words that files use. */
const NAMES = [
  ...['a', 'a/b', 'a/b/c', 'b', 'b/a', 'conv1/conv', 'conv1', 'conv'],
  ...['optimizer', 'optimizer/a', 'seed_generator_1', 'a/seed_generator'],
  ...['kernel', 'gamma', 'a/gamma', 'moving_mean', 'vars', 'layers', 'layer'],
  ...['x-y.z', '0', '0/1', 'name', 'length'],
];

const COUNT = 9;

const anyNames = fc.shuffledSubarray(NAMES, {
  minLength: COUNT,
  maxLength: COUNT,
});

/** A model of every kind of holder; the same numbers for whatever names. */
function createModel(names: readonly string[], stock: boolean): tf.LayersModel {
  let next = 0;
  const named = (): {name: string} => ({name: names[next++] ?? ''});
  let seed = 0;
  const dense = (args: object = {}): tf.layers.Layer =>
    tf.layers.dense({units: 4, ...named(), ...args});
  const norm = (): tf.layers.Layer =>
    stock ? tf.layers.batchNormalization(named()) : batchNorm(named());
  const layer = (): tf.layers.Layer =>
    stock ? tf.layers.layerNormalization(named()) : layerNorm(named());

  const inner = tf.sequential({
    layers: [dense({inputShape: [4]}), norm()],
    ...named(),
  });
  const input = tf.input({shape: [3, 4]});
  const apply = (l: tf.layers.Layer, x: tf.SymbolicTensor): tf.SymbolicTensor =>
    l.apply(x) as tf.SymbolicTensor;
  const times = tf.layers.timeDistributed({layer: dense(), ...named()});
  const first = apply(norm(), apply(times, input));
  const flat = apply(tf.layers.globalAveragePooling1d({}), first);
  const shared = layer();
  const twice = apply(shared, apply(shared, apply(inner, flat)));
  const model = tf.model({inputs: input, outputs: apply(dense(), twice)});
  model.setWeights(
    model
      .getWeights()
      .map((w) => tf.abs(randomTensor(w.shape, (seed += 1), 1))),
  );
  return model;
}

const x = (): tf.Tensor => randomTensor([5, 3, 4], 77);
const gap = (model: tf.LayersModel, expected: tf.Tensor): number =>
  difference(model.predict(x()) as tf.Tensor, expected);

describe.each([
  ['tf.js', true],
  ['this package', false],
])('F2: whatever the layers are called, on layers of %s', (_, stock) => {
  it.each(Object.keys(REBUILDING))('%s predicts the same', async (name) => {
    const tool = REBUILDING[name];
    await fc.assert(
      fc.asyncProperty(anyNames, async (names) => {
        const model = createModel(names, stock);
        const expected = model.predict(x()) as tf.Tensor;
        const other = await tool?.(model);
        expect(gap(other as tf.LayersModel, expected)).toBeLessThan(1e-5);
        expect(gap(model, expected)).toBe(0);
        other?.dispose();
        model.dispose();
      }),
      {
        numRuns: 25,
        // A layer in the model b, and one called b/a.
        examples: [
          [['a', 'optimizer', 'b', 'name', 'b/a', '0/1', 'x-y.z', 'a/b', '0']],
        ],
      },
    );
  });
});

describe('F2: a layer called as Object.prototype has it', () => {
  const names = [
    ...['toString', 'a', 'valueOf', 'b', 'c'],
    ...['hasOwnProperty', 'd', 'isPrototypeOf', 'e'],
  ];

  it.each(Object.keys(REBUILDING))('is named by %s, or read', async (name) => {
    const model = createModel(names, false);
    const expected = model.predict(x()) as tf.Tensor;
    const before = tf.memory().numTensors;
    const made = REBUILDING[name]?.(model);
    if (name === 'fromKeras') {
      expect(gap((await made) as tf.LayersModel, expected)).toBeLessThan(1e-5);
      return;
    }
    await expect(made).rejects.toThrow(
      /tf.js cannot rebuild a model with a layer called \w+; rename it. Received: /,
    );
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('F2: whatever the layers are called,', () => {
  it('the tools find every normalization', async () => {
    await fc.assert(
      fc.asyncProperty(anyNames, async (names) => {
        const model = createModel(names, false);
        expect(setStatistics(model, 'auto')).toBe(2);
        expect(await inspect(model)).toHaveLength(3);
        await recalibrate(model, x());
        expect(freezeBatchNorm(model)).toBe(2);
        model.dispose();
      }),
      {numRuns: 25},
    );
  });
});
