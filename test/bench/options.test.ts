import {join} from 'node:path';
import {type Options, parseOptions} from '../../bench/options.js';
import {planOf} from '../../bench/plan.js';
import {InputError} from '../../tools/errors.js';

function parse(...args: string[]): Options {
  const options = parseOptions(args, () => undefined);
  if (options === undefined) throw new Error('only help was asked for');
  return options;
}

describe('parseOptions', () => {
  it('measures everything by default', () => {
    expect(parse()).toEqual({
      backend: ['tensorflow', 'wasm', 'cpu'],
      programs: false,
      native: false,
      quick: false,
    });
  });

  it.each([
    [['--backend', 'wasm']],
    [['--backend', 'wasm,cpu']],
    [['--backend', 'wasm', 'cpu']],
    [['--backend', 'wasm', '--backend', 'cpu']],
  ])('takes one or several backends: %j', (args) => {
    const expected = args.join().includes('cpu') ? ['wasm', 'cpu'] : ['wasm'];
    expect(parse(...args).backend).toEqual(expected);
  });

  it('takes the backends of a browser, which are not among the defaults', () => {
    expect(parse('--backend', 'webgl,webgpu').backend).toEqual([
      'webgl',
      'webgpu',
    ]);
    expect(parse().backend).toEqual(['tensorflow', 'wasm', 'cpu']);
  });

  it('measures tensorflow alone with --native', () => {
    expect(parse('--native')).toMatchObject({
      native: true,
      backend: ['tensorflow'],
    });
    expect(parse('--native', '--backend', 'tensorflow').native).toBe(true);
    expect(() => parse('--native', '--backend', 'wasm', 'cpu')).toThrow(
      '--native: tensorflow alone has native kernels. Received: --backend wasm,cpu',
    );
  });

  it.each([
    [['--shape', '2,3'], [[2, 3]]],
    [['--shape', '[2, 3,4]'], [[2, 3, 4]]],
    [
      ['--shape', '2,3', '4,7,7,8'],
      [
        [2, 3],
        [4, 7, 7, 8],
      ],
    ],
    [
      ['--shape', '2,3', '--shape', '5,6'],
      [
        [2, 3],
        [5, 6],
      ],
    ],
  ])('takes shapes: %j', (args, expected) => {
    expect(parse(...args).shape).toEqual(expected);
  });

  it.each([
    ['--shape', '5'],
    ['--shape', '1,2,3,4,5'],
    ['--shape', '2,'],
    ['--shape', '2,0'],
    ['--shape', '2,1.5'],
    ['--shape', '2,x'],
    ['--backend', 'opengl'],
    ['--budget', '0'],
    ['--limit', 'long'],
    ['--out', ''],
    ['--fast'],
    ['extra'],
  ])('refuses %s %s in one line', (...args) => {
    const parsing = (): unknown => parse(...args);
    expect(parsing).toThrow(InputError);
    expect(parsing).toThrow(/^[^\n]*\(.*npm run bench -- --help\)$/);
  });

  it('prints help', () => {
    let printed = '';
    const print = (text: string): void => void (printed += text);
    expect(parseOptions(['--help'], print)).toBeUndefined();
    for (const option of ['backend', 'shape', 'programs', 'quick', 'out']) {
      expect(printed).toContain(`--${option}`);
    }
  });
});

describe('planOf', () => {
  it('has every layer in both modes, images in both layouts, and programs', () => {
    const {cases, programs, out} = planOf(parse());
    // Five inputs, three of them also with the channels first, one not for instance norm.
    expect(cases).toHaveLength((4 * 8 + 7) * 2);
    expect(programs).toBe(true);
    expect(out).toBe('bench');
  });

  it.each([
    ['--quick', {layers: 10, programs: false}],
    ['--programs', {layers: 0, programs: true}],
    ['--quick --programs', {layers: 0, programs: true}],
    ['--shape 2,3', {layers: 8, programs: false}],
    ['--shape 2,3 --programs', {layers: 8, programs: true}],
    ['--backend wasm', {layers: 78, programs: true}],
    ['--native', {layers: 78, programs: true}],
  ])('of %s is a part, which goes elsewhere', (args, expected) => {
    const {cases, programs, native, out} = planOf(parse(...args.split(' ')));
    expect({layers: cases.length, programs}).toEqual(expected);
    expect(native).toBe(args === '--native');
    expect(out).toBe(join('out', 'bench'));
  });

  it('is less thorough with --quick, and follows --budget and --limit', () => {
    const quick = planOf(parse('--quick'));
    const thorough = planOf(parse());
    expect(quick.schedule.runs).toBeLessThan(thorough.schedule.runs);
    expect(quick.limit).toBeLessThan(thorough.limit);
    const asked = planOf(parse('--budget', '3', '--limit', '7', '--out', 'x'));
    expect(asked.schedule.budget).toBe(3000);
    expect(asked.limit).toBe(7000);
    expect(asked.out).toBe('x');
  });
});
