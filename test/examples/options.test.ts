import {InputError} from '../../tools/errors.js';
import {type Options, parseOptions} from '../../examples/digits/options.js';

const parse = (...args: string[]): Options | undefined =>
  parseOptions(args, () => undefined);

describe('parseOptions', () => {
  it('has the defaults of the main job', () => {
    expect(parse()).toMatchObject({
      norm: ['none', 'batch', 'layer', 'none-relu'],
      activation: 'sigmoid',
      epochs: 30,
      batchSize: 60,
      learningRate: 0.1,
      momentum: 0.99,
      movingAverage: 'debiased',
      recalibrate: false,
      seed: 1,
      quiet: false,
    });
    expect(parse()?.backend).toBeUndefined();
  });

  it.each([
    [['--norm', 'batch'], ['batch']],
    [
      ['--norm', 'layer,none'],
      ['layer', 'none'],
    ],
    [
      ['--norm', 'layer, none'],
      ['layer', 'none'],
    ],
    [
      ['--norm', 'layer', '--norm', 'none'],
      ['layer', 'none'],
    ],
    [['--norm', 'batch,batch', '--norm=batch'], ['batch']],
  ])('takes one or several networks: %j', (args, norm) => {
    expect(parse(...args)?.norm).toEqual(norm);
    // No state is left over from the earlier call.
    expect(parse()?.norm).toHaveLength(4);
  });

  it('takes every other option', () => {
    const args =
      '--data d --activation tanh --epochs 3 --batch-size 1 --quiet --out o ' +
      '--learning-rate 1e-2 --momentum 0 --seed 4294967295 --backend cpu ' +
      '--moving-average cumulative --recalibrate';
    expect(parse(...args.split(' '))).toEqual({
      data: 'd',
      norm: ['none', 'batch', 'layer', 'none-relu'],
      activation: 'tanh',
      epochs: 3,
      batchSize: 1,
      learningRate: 0.01,
      momentum: 0,
      movingAverage: 'cumulative',
      recalibrate: true,
      seed: 4294967295,
      backend: 'cpu',
      out: 'o',
      quiet: true,
    });
  });

  it.each([
    [['--nrom', 'batch'], "unknown option '--nrom'"],
    [
      ['--norm', 'group'],
      "'group' is invalid. Allowed choices are none, batch",
    ],
    [['--norm', 'batch,'], "'batch,' is invalid"],
    [['--norm'], 'argument missing'],
    [
      ['--activation', 'step'],
      "'step' is invalid. Allowed choices are sigmoid",
    ],
    [['--epochs', '0'], "'0' is invalid. It must be a whole number from 1"],
    [['--epochs', '1.5'], "'1.5' is invalid"],
    [['--epochs', ''], "'' is invalid"],
    [['--epochs', 'ten'], "'ten' is invalid"],
    [['--batch-size', '-3'], "'-3' is invalid"],
    [['--learning-rate', '0'], "'0' is invalid. It must be a number above 0"],
    [['--learning-rate', 'Infinity'], "'Infinity' is invalid"],
    [
      ['--momentum', '1'],
      "'1' is invalid. It must be a number from 0 to below",
    ],
    [['--moving-average', 'mine'], 'Allowed choices are exponential'],
    [['--seed', '-1'], "'-1' is invalid"],
    [['--seed', '4294967296'], 'a whole number from 0 to 4294967295'],
    [['--out', ''], "'' is invalid. It must be a path"],
    [['--data='], 'It must be a path'],
    [['--backend', 'webgl'], 'Allowed choices are tensorflow, wasm, cpu'],
    [['3'], 'too many arguments: 3 (options follow --: npm start -- --help)'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(InputError);
    expect(() => parse(...args)).toThrow(message);
  });

  it('prints help that names every option and both formats', () => {
    let help = '';
    expect(parseOptions(['--help'], (text) => (help += text))).toBeUndefined();
    const options = Object.keys(parse() ?? {}).map(
      (name) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
    );
    for (const option of [...options, '--backend']) {
      expect(help).toContain(`${option} `);
    }
    expect(help).toContain('A first line of names');
    expect(help).toContain('train-images-idx3-ubyte');
    const longest = Math.max(...help.split('\n').map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(80);
  });
});
