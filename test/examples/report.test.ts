import * as fc from 'fast-check';
import {drawChart} from '../../examples/digits/chart.js';
import {counted, duration, wrap} from '../../tools/format.js';
import type {RunMetrics} from '../../examples/digits/metrics.js';
import {type Norm, NORMS} from '../../examples/digits/norms.js';
import {
  firstAbove,
  recalibratedSentenceOf,
  type Seen,
  sentenceOf,
} from '../../examples/digits/sentence.js';
import {tableOf} from '../../examples/digits/table.js';

const seen = (norm: Norm, ...valAccuracy: number[]): Seen => ({
  norm,
  valAccuracy,
});

const metrics = (run: Seen): RunMetrics => ({
  ...run,
  loss: [],
  accuracy: [],
  valLoss: [],
  valAccuracyRecalibrated: null,
  secondsPerEpoch: 0.25,
  stockSecondsPerEpoch: null,
  model: '',
  reloadedEqual: true,
});

describe('sentenceOf', () => {
  it.each<[string, Seen[], string]>([
    [
      'all networks',
      [
        seen('none', 0.1, 0.11, 0.09),
        seen('batch', 0.8, 0.9, 0.95),
        seen('layer', 0.1, 0.3, 0.7),
        seen('none-relu', 0.5, 0.9, 0.94),
      ],
      'Without normalization the sigmoid network gets no further than 11.0% in ' +
        '3 epochs; BatchNorm passes that in epoch 1 with 80.0% and ends at ' +
        '95.0%, LayerNorm passes that in epoch 2 with 30.0% and ends at 70.0%; ' +
        'ReLU with He initialization, without normalization, ends at 94.0%.',
    ],
    [
      'a network that normalization does not help',
      [seen('none', 0.95), seen('layer', 0.95)],
      'Without normalization the sigmoid network gets no further than 95.0% in ' +
        '1 epoch; LayerNorm does not pass that and ends at 95.0%.',
    ],
    [
      'a network that is passed at the end',
      [seen('none', 0.1, 0.2), seen('batch', 0.1, 0.9)],
      'Without normalization the sigmoid network gets no further than 20.0% in ' +
        '2 epochs; BatchNorm passes that in epoch 2, its last, with 90.0%.',
    ],
    [
      'one network',
      [seen('batch', 0.8, 0.91, 0.93)],
      'BatchNorm passes 90% in epoch 2 and ends at 93.0%.',
    ],
    [
      'one network that does not reach 90%',
      [seen('none', 0.1, 0.11)],
      'The network without normalization does not pass 90% in 2 epochs and ' +
        'ends at 11.0%.',
    ],
    [
      'the baseline alone',
      [seen('none-relu', 0.8, 0.9)],
      'ReLU with He initialization, without normalization, does not pass 90% ' +
        'in 2 epochs and ends at 90.0%.',
    ],
    ['nothing', [seen('batch')], 'No epoch was finished.'],
  ])('describes %s', (_, runs, sentence) => {
    expect(sentenceOf(runs, 'sigmoid')).toBe(sentence);
  });
});

describe('recalibratedSentenceOf', () => {
  it('names the epoch where recalibration gains most', () => {
    expect(recalibratedSentenceOf([0.1, 0.2, 0.9], [0.8, 0.95, 0.9])).toBe(
      'Recalibrated on the training set, BatchNorm predicts 95.0% right after ' +
        'epoch 2, where its moving averages give 20.0%.',
    );
  });
});

describe('tableOf', () => {
  const runs = NORMS.map((norm) => metrics(seen(norm, 0.1, 0.91, 0.5)));

  it('shows epochs 1, 5, 10 and the last, as far as there are any', () => {
    const header = (epochs: number): string =>
      tableOf(runs, epochs).split('\n')[1] ?? '';
    expect(header(30)).toMatch(/^ +1 +5 +10 +30 +> 90%/);
    expect(header(10)).toMatch(/^ +1 +5 +10 +> 90%/);
    expect(header(3)).toMatch(/^ +1 +3 +> 90%/);
    expect(header(1)).toMatch(/^ +1 +> 90%/);
  });

  it('has columns for recalibration, if requested', () => {
    const batch = {
      ...metrics(seen('batch', 0.1, 0.5, 0.9)),
      valAccuracyRecalibrated: [0.8, 0.85, 0.95],
    };
    const table = tableOf([...runs, batch], 3).split('\n');
    expect(table[0]).toMatch(/^ +Accuracy, epoch +Recalibrated +First/);
    expect(table[1]).toMatch(/^ +1 +3 +1 +3 +> 90%/);
    expect(table[4]).toMatch(/^BatchNorm +10.0% +50.0% +– +– +2/);
    expect(table[7]).toMatch(/^BatchNorm +10.0% +90.0% +80.0% +95.0% +never/);
    for (const line of table) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('has a row for each network', () => {
    const [, , , ...rows] = tableOf(runs, 3).split('\n');
    expect(rows[1]).toMatch(/^BatchNorm +10.0% +50.0% +2 +0.25 +–$/);
    expect(rows).toHaveLength(NORMS.length + 1);
  });

  it('is no wider than a terminal', () => {
    const whole = Array.from({length: 1000}, () => 0.999);
    const long = NORMS.map((norm) => metrics(seen(norm, ...whole)));
    for (const line of tableOf(long, 1000).split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});

describe('drawChart', () => {
  it('names every network and draws nothing outside', () => {
    const svg = drawChart([seen('batch', 0.8, 0.9), seen('none', 0.1, 0.1)], 2);
    for (const text of ['BatchNorm', 'No normalization', 'Epoch', '100%']) {
      expect(svg).toContain(`>${text}</text>`);
    }
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg).not.toContain('LayerNorm');
  });

  it('has a line for recalibration', () => {
    const run = {...seen('batch', 0.1), valAccuracyRecalibrated: [0.8]};
    expect(drawChart([run], 1)).toContain('>BatchNorm, recalibrated</text>');
    expect(drawChart([seen('batch', 0.1)], 1)).not.toContain('recalibrated');
  });

  it('exists for a run that was stopped early', () => {
    expect(drawChart([seen('batch')], 30)).not.toMatch(/NaN|undefined/);
  });
});

describe('texts', () => {
  it('counts and measures', () => {
    expect(counted(1, 'epoch')).toBe('1 epoch');
    expect(counted(1797, 'image')).toBe('1,797 images');
    expect(duration(9.4)).toBe('9 s');
    expect(duration(59.7)).toBe('1:00 min');
    expect(duration(125)).toBe('2:05 min');
    expect(firstAbove(0.9, [0.9, 0.91])).toBe(2);
  });

  it('wraps without losing a word', () => {
    const words = fc.array(fc.stringMatching(/^\w{1,12}$/));
    fc.assert(
      fc.property(words, fc.integer({min: 12, max: 40}), (list, width) => {
        const lines = wrap(list.join(' '), width).split('\n');
        expect(lines.join(' ')).toBe(list.join(' '));
        for (const line of lines)
          expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
