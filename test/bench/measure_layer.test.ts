import * as tf from '@tensorflow/tfjs';
import {casesOf} from '../../bench/cases.js';
import {measureLayer} from '../../bench/measure_layer.js';
import {CONTENDERS, isTiming, type LayerRow} from '../../bench/results.js';

const FLAG = 'NORMALIZATION_FUSED';
const PLAN = {schedule: {budget: 50, runs: 2, warmUp: 1}, limit: 60_000};

const [inference, training] = casesOf([[4, 6]]);
const channelsFirst = casesOf([[4, 3, 3, 2]])[3];
const groupNorm = casesOf([[4, 6]]).find(({norm}) => norm === 'group norm');

if (!inference || !training || !channelsFirst || !groupNorm)
  throw new Error('no cases');

const measured = ({cells}: LayerRow): string[] =>
  CONTENDERS.filter((name) => isTiming(cells[name]));

describe('measureLayer', () => {
  beforeAll(() => tf.env().registerFlag(FLAG, () => true));

  it.each([inference, training])(
    'measures all in this process and leaves nothing behind, %j',
    async (layerCase) => {
      const before = tf.memory().numTensors;
      const row = await measureLayer('cpu', layerCase, PLAN);
      expect(measured(row)).toEqual(['stock', 'composed', 'fused', 'add']);
      expect(row).toMatchObject({backend: 'cpu', ...layerCase});
      expect(row.cells.torch).toEqual({unavailable: 'no PyTorch'});
      expect(tf.memory().numTensors).toBe(before);
      expect(tf.env().getBool(FLAG)).toBe(true);
    },
  );

  it('has no figure of stock for a layer that it lacks', async () => {
    const row = await measureLayer('cpu', groupNorm, PLAN);
    expect(measured(row)).toEqual(['composed', 'fused', 'add']);
    expect(row.cells.stock).toEqual({unavailable: 'no such layer'});
  });

  it('reports a contender that throws', async () => {
    const row = await measureLayer('cpu', channelsFirst, PLAN);
    expect(measured(row)).toEqual(['composed', 'fused', 'add']);
    expect(row.cells.stock).toEqual({
      unavailable: expect.stringMatching(/^throws: /) as string,
    });
  });

  it('does not wait for stock if it is expected to take too long', async () => {
    const limit = Number.MIN_VALUE;
    const row = await measureLayer('cpu', training, {...PLAN, limit});
    expect(measured(row)).toEqual(['composed', 'fused', 'add']);
    expect(row.cells.stock).toEqual({
      unavailable: expect.stringMatching(
        /^over .* s: about .* s a run/,
      ) as string,
    });
  });
});
