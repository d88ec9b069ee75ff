import {parseCsv} from '../../examples/digits/data_csv.js';
import {InputError} from '../../tools/errors.js';
import {halvesOf} from '../../examples/finetune/halves.js';
import {parseOptions} from '../../examples/finetune/options.js';
import {reportOf} from '../../examples/finetune/report.js';

describe('halvesOf', () => {
  it('splits the digits, and takes few of the second half for training', () => {
    const images = parseCsv('1,7\n2,3\n3,9\n4,0\n5,5\n', 'digits.csv');
    const {old, young} = halvesOf({training: images, validation: images}, 2);
    expect([...old.training.labels]).toEqual([3, 0]);
    expect([...young.training.labels]).toEqual([7, 9]);
    expect([...young.validation.labels]).toEqual([7, 9, 5]);
    const scale = (young.training.pixels[0] ?? 0) / 1;
    expect([...young.training.pixels]).toEqual([scale, Math.fround(3 * scale)]);
  });
});

describe('the options of finetune', () => {
  const parse = (...args: string[]): unknown =>
    parseOptions(args, () => undefined);

  it('have defaults', () => {
    expect(parse()).toMatchObject({seed: 1});
    expect(parse('--seed', '3', '--backend', 'cpu', '--out', 'o')).toEqual({
      seed: 3,
      backend: 'cpu',
      out: 'o',
    });
    expect(parse('--help')).toBeUndefined();
  });

  it.each([['--seed', 'x'], ['--backend', 'wasm'], ['--other']])(
    'refuse %s %s',
    (...args) => {
      expect(() => parse(...args)).toThrow(InputError);
    },
  );
});

describe('the report of finetune', () => {
  it('shows the effect of freezing', () => {
    const report = reportOf(0.99, [
      {
        frozen: true,
        head: {young: 0.8, old: 0.99},
        top: {young: 0.9, old: 0.98},
      },
      {
        frozen: false,
        head: {young: 0.7, old: 0.6},
        top: {young: 0.8, old: 0.5},
      },
    ]);
    const [, , , first, second] = report.split('\n');
    expect(first).toMatch(
      /^BatchNorm frozen +80.0% +90.0% +99.0% +99.0% +98.0%$/,
    );
    expect(second).toMatch(
      /^BatchNorm not frozen +70.0% +80.0% +99.0% +60.0% +50.0%$/,
    );
    expect(report.replace(/\n/g, ' ')).toContain('it reads 60.0%.');
    for (const line of report.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});
