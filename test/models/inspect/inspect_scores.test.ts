import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import {
  batchNorm,
  foldBatchNorm,
  formatInspection,
  inspect,
  patchStockLayers,
  toStock,
} from 'tfjs-normalization';
import {listed} from '../../../src/util/listed.js';
import {expectCloseNow} from '../../support/close.js';
import {through} from '../../support/models.js';
import {randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

type Metric = (y: tf.Tensor, p: tf.Tensor) => tf.Tensor;

/** Functions with different results, with and without names. */
const METRICS: Readonly<Record<string, Metric>> = {
  mse: (y, p) => tf.mean(tf.squaredDifference(y, p), -1),
  mae: (y, p) => tf.mean(tf.abs(tf.sub(y, p)), -1),
};
const LOSSES: Readonly<Record<string, string>> = {
  meanSquaredError: 'mse',
  meanAbsoluteError: 'mae',
};

const mean = (metric: string, y: tf.Tensor, p: tf.Tensor): number =>
  tf.tidy(
    () => tf.mean((METRICS[metric] as Metric)(y, p)).dataSync<'float32'>()[0],
  ) as number;

/** Returns a model with an output for each name, over one normalization. */
function branching(names: readonly string[]): tf.LayersModel {
  const input = tf.input({shape: [3]});
  const shared = through(batchNorm({name: 'norm'}), input);
  const outputs = names.map((name) =>
    through(tf.layers.dense({name, units: 2}), shared),
  );
  return tf.model({inputs: input, outputs});
}

describe('F8: the scores of a model', () => {
  it('have their own names, for any outputs, losses and metrics', async () => {
    const cases = fc.record({
      outputs: fc.integer({min: 1, max: 4}),
      losses: fc.array(fc.constantFrom(...Object.keys(LOSSES)), {
        minLength: 4,
        maxLength: 4,
      }),
      metrics: fc.array(fc.subarray(Object.keys(METRICS)), {
        minLength: 4,
        maxLength: 4,
      }),
      batchSize: fc.constantFrom(3, 7),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({outputs, losses, metrics, batchSize}) => {
        const names = ['a', 'b', 'c', 'd'].slice(0, outputs);
        const model = branching(names);
        const used = losses.slice(0, outputs);
        model.compile({
          optimizer: 'sgd',
          loss: used,
          metrics: Object.fromEntries(names.map((n, i) => [n, metrics[i]])),
        } as unknown as tf.ModelCompileArgs);
        const x = randomTensor([7, 3], 1);
        const y = names.map((_, i) => randomTensor([7, 2], 2 + i));
        const {prediction} = await inspect(model, [x, y], {batchSize});
        const p = [model.predict(x)].flat();
        const each = names.map((_, i) =>
          mean(
            LOSSES[used[i] as string] as string,
            y[i] as tf.Tensor,
            p[i] as tf.Tensor,
          ),
        );
        const expected: Record<string, number> = {
          loss: each.reduce((a, b) => a + b),
        };
        names.forEach((name, i) => {
          const prefix = outputs > 1 ? `${name}_` : '';
          if (outputs > 1) expected[`${name}_loss`] = each[i] as number;
          for (const metric of metrics[i] ?? []) {
            expected[`${prefix}${metric}`] = mean(
              metric,
              y[i] as tf.Tensor,
              p[i] as tf.Tensor,
            );
          }
        });
        const found = prediction?.moving ?? {};
        expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
        for (const [name, value] of Object.entries(expected)) {
          // A prediction, a difference, its square and means.
          expectCloseNow([found[name] ?? NaN], [value], {
            what: name,
            roundings: 16,
          });
        }
        expect(Object.keys(prediction?.data ?? {})).toEqual(Object.keys(found));
        model.dispose();
      }),
      {numRuns: 15},
    );
  });

  it('of the same name are all listed', async () => {
    const model = branching(['a']);
    const zero = (): tf.Tensor => tf.zeros([2]);
    const one = (): tf.Tensor => tf.ones([2]);
    Object.defineProperty(zero, 'name', {value: 'own'});
    Object.defineProperty(one, 'name', {value: 'own'});
    model.compile({
      optimizer: 'sgd',
      loss: 'meanSquaredError',
      metrics: [zero, one] as never,
    });
    const data = [tf.ones([2, 3]), tf.ones([2, 2])] as const;
    const {prediction} = await inspect(model, data);
    expect(prediction?.moving).toMatchObject({own: 0, own_1: 1});
  });
});

describe('F12: under the patch, an input that stock refuses', () => {
  it.each([
    [tf.layers.batchNormalization({name: 'n', axis: 1}), [null, null, 3]],
    [tf.layers.batchNormalization({name: 'n', axis: 4}), [null, 2, 3]],
    [tf.layers.layerNormalization({name: 'n', axis: 3}), [null, 2, 3]],
    [tf.layers.layerNormalization({name: 'n', axis: [1, 1]}), [null, 2, 3]],
  ])('is refused with stock’s message and class of error', (layer, shape) => {
    const errorOf = (): Error => {
      try {
        layer.build(shape);
      } catch (error) {
        return error as Error;
      }
      throw new Error('nothing was thrown');
    };
    const stock = errorOf();
    expect(layer.weights).toHaveLength(0);
    const unpatch = patchStockLayers();
    try {
      const ours = errorOf();
      expect(ours.message.endsWith(stock.message)).toBe(true);
      expect(Object.getPrototypeOf(ours)).toBe(Object.getPrototypeOf(stock));
      expect(layer.weights).toHaveLength(0);
    } finally {
      unpatch();
    }
  });
});

describe('F19: long lists', () => {
  const deep = (count: number): tf.LayersModel => {
    const first = batchNorm({name: 'n0', inputShape: [2]});
    const others = Array.from({length: count - 1}, (_, i) =>
      batchNorm({name: `n${i + 1}`}),
    );
    return tf.sequential({layers: [first, ...others]});
  };

  it('are shortened, with a count', () => {
    const names = Array.from({length: 94}, (_, i) => `layer_${i}`);
    expect(listed(names)).toBe(
      'layer_0, layer_1, layer_2, layer_3, layer_4 and 89 more',
    );
    expect(listed(names.slice(0, 5))).toBe(names.slice(0, 5).join(', '));
    expect(listed([])).toBe('');
  });

  it('an inspection of 192 normalizations fits on a page, the worst first', async () => {
    const model = deep(192);
    for (const layer of model.layers) {
      const [one, far] = [tf.ones([2]), tf.fill([2], 5)];
      layer.setWeights([one, tf.zeros([2]), far, one]);
    }
    model
      .getLayer('n150')
      .setWeights([
        tf.tensor1d([NaN, 1]),
        tf.zeros([2]),
        tf.zeros([2]),
        tf.ones([2]),
      ]);
    model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const data = [randomTensor([8, 2], 1), tf.ones([8, 2])] as const;
    const inspection = await inspect(model, data);
    expect(inspection).toHaveLength(192);
    const text = formatInspection(inspection);
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(80);
    expect(lines.find((line) => line.includes(': '))).toMatch(/^n150: gamma/);
    expect(text).toContain('\nn150 ');
    expect(text).toContain('… and 172 more layers');
    expect(text).toMatch(
      /… and \d+ more layers in which something looks wrong/,
    );
    expect(inspection.explanation?.length).toBeLessThan(700);
    expect(inspection.explanation).toMatch(/in n\d+(, n\d+){4} and \d+ more\./);
  });

  it('of 20 layers or fewer are complete', async () => {
    const text = formatInspection(await inspect(deep(20)));
    for (let i = 0; i < 20; i++) expect(text).toContain(`\nn${i} `);
    expect(text).not.toMatch(/more layers?$/m);
  });

  it('a warning of toStock about 94 layers names a few', async () => {
    const layers = Array.from({length: 94}, (_, i) =>
      batchNorm({
        name: `n${i}`,
        movingAverage: 'debiased',
        ...(i === 0 && {inputShape: [2]}),
      }),
    );
    const saved = tf.io.withSaveHandler(() =>
      Promise.resolve({modelArtifactsInfo: {} as never}),
    );
    await tf.sequential({layers}).save(toStock(saved));
    const [warning = '', ...others] = warnings();
    jest.mocked(console.warn).mockClear();
    expect(others).toEqual([]);
    expect(warning).toMatch(/n0.* and 89 more$/);
    expect(warning.length).toBeLessThan(600);
  });

  it('a warning about unfolded layers names a few', () => {
    const model = deep(30);
    foldBatchNorm(model);
    const [warning = ''] = warnings();
    jest.mocked(console.warn).mockClear();
    expect(warning).toMatch(/^foldBatchNorm: not folded: n0 .* and 25 more$/);
    expect(warning.length).toBeLessThan(600);
  });
});
