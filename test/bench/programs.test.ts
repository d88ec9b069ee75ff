import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {LARGE, mlp, SMALL as SMALL_MLP} from '../../bench/mlp.js';
import {measureProgram} from '../../bench/programs.js';
import {isTiming, type Variant, VARIANTS} from '../../bench/results.js';
import {transformerBlock} from '../../bench/transformer_block.js';
import type {Described, Prepared} from '../../bench/whole_programs.js';
import {expectCloseNow, FLOAT64_ROUNDING} from '../support/close.js';

const SCHEDULE = {
  programSchedule: {budget: 1000, runs: 1, warmUp: 1},
  epochs: 3,
};
const SMALL = {batch: 2, tokens: 3, width: 8, heads: 2};

const DESCRIBED = {
  program: 'a small program',
  norm: 'layer norm',
  run: 'training step',
} as const;

/** Returns the number of variables that a program adds. */
function variablesOf(prepare: () => Prepared): number {
  const count = (): number =>
    Object.keys(tf.engine().registeredVariables).length;
  const before = count();
  prepare().held.forEach((one) => one.dispose());
  const added = count() - before;
  tf.disposeVariables();
  return added;
}

describe('transformerBlock', () => {
  it('learns its input, its own weights, and those of two normalizations', async () => {
    expect(variablesOf(() => transformerBlock(undefined, SMALL))).toBe(5);
    expect(variablesOf(() => transformerBlock(() => layerNorm(), SMALL))).toBe(
      9,
    );
    const layers: tf.layers.Layer[] = [];
    const prepared = transformerBlock(() => {
      const layer = layerNorm();
      layers.push(layer);
      return layer;
    }, SMALL);
    const betas = (): number[][] =>
      layers.map((layer) =>
        Array.from(layer.getWeights()[1]?.dataSync() ?? []),
      );
    const before = betas();
    await prepared.run();
    const [first, second] = betas();
    expect(first).not.toEqual(before[0]);
    expect(second).not.toEqual(before[1]);
    prepared.held.forEach((one) => one.dispose());
    tf.disposeVariables();
  });
});

describe('mlp', () => {
  it.each([LARGE, SMALL_MLP])(
    'has a normalization in each hidden layer: %p',
    (size) => {
      expect(variablesOf(() => mlp(size))).toBe(6);
      expect(variablesOf(() => mlp(size, () => batchNorm()))).toBe(6 + 2 * 4);
    },
  );
});

describe('measureProgram', () => {
  it('runs every variant in turn and leaves nothing behind', async () => {
    const before = tf.memory().numTensors;
    const row = await measureProgram(
      'cpu',
      {
        ...DESCRIBED,
        prepare: (makeNorm) => transformerBlock(makeNorm, SMALL),
      },
      SCHEDULE,
    );
    expect(VARIANTS.filter((name) => isTiming(row.cells[name]))).toEqual(
      VARIANTS,
    );
    expect(row.normalizationShare).toEqual(expect.any(Number));
    expect(tf.memory().numTensors).toBe(before);
  });

  it('patches stock tf.js only for the patched variant', async () => {
    const stockCall = callOf();
    const seen: Partial<Record<Variant, boolean>> = {};
    const prepare = byVariant((variant) => ({
      held: [],
      run: () => {
        seen[variant] = callOf() !== stockCall;
        return Promise.resolve(1);
      },
    }));
    await measureProgram('cpu', {...DESCRIBED, prepare}, SCHEDULE);
    expect(seen).toEqual({
      none: false,
      stock: false,
      patched: true,
      ours: false,
    });
    expect(callOf()).toBe(stockCall);
  });

  it('runs all epochs, and has no share if one fails', async () => {
    const prepare = byVariant((variant) => ({
      held: [],
      run: () =>
        variant === 'none'
          ? Promise.reject(new Error('diverged'))
          : Promise.resolve(1e9),
    }));
    const {cells, normalizationShare} = await measureProgram(
      'cpu',
      {...DESCRIBED, run: 'epoch', prepare},
      SCHEDULE,
    );
    expect(cells.none).toEqual({unavailable: 'throws: diverged'});
    expect(cells.ours).toMatchObject({runs: 3, total: 3e9});
    expect(normalizationShare).toBeNull();
  });

  it('gives the share of a run that normalization takes', async () => {
    const prepare = byVariant((variant) => ({
      held: [],
      run: () => Promise.resolve(variant === 'ours' ? 5 : 4),
    }));
    const row = await measureProgram('cpu', {...DESCRIBED, prepare}, SCHEDULE);
    expectCloseNow([row.normalizationShare ?? NaN], [1 / 5], {
      what: 'a share',
      roundings: 8,
      rounding: FLOAT64_ROUNDING,
    });
  });
});

/** Prepares programs that know their variant: they are prepared in that order. */
function byVariant(
  prepare: (variant: Variant) => Prepared,
): Described['prepare'] {
  const variants = [...VARIANTS];
  return () => prepare(variants.shift() ?? 'none');
}

/** Returns the method of stock tf.js that a patch replaces. */
function callOf(): unknown {
  const layer = tf.layers.layerNormalization();
  return (Object.getPrototypeOf(layer) as {call: unknown}).call;
}
