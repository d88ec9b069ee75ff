// The native kernels in processes of their own: where they are used and where not, what is said
// then, and worker threads, one of which ends.
import {spawnSync} from 'node:child_process';
import {cpSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {requireBuild} from '../node/child.js';

const VARIABLE = 'TFJS_NORMALIZATION_NATIVE';
const NATIVE = dirname(
  createRequire(__filename).resolve('tfjs-normalization-native/package.json'),
);

/** What program.cjs is told. */
interface Situation {
  /** Where the native package is; null for nowhere. Defaults to its place. */
  at?: string | null;
  /** If true, Node refuses to load addons. */
  refused?: boolean;
  /** The flag NORMALIZATION_FUSED. Defaults to true. */
  fused?: boolean;
  /** Other copies of the native package, which are installed first. */
  others?: string[];
  /** So many worker threads compute first, and end. */
  workers?: number;
}

interface Answer {
  y: number[];
  ops: string[];
  warnings: string[];
  leaked: number;
  workers: Answer[];
}

function run(situation: Situation, wish?: string): Answer {
  const env = {...process.env, TF_CPP_MIN_LOG_LEVEL: '2'};
  const {status, signal, stdout, stderr} = spawnSync(
    process.execPath,
    [join(__dirname, 'program.cjs'), JSON.stringify(situation)],
    {encoding: 'utf8', env: {...env, [VARIABLE]: wish}},
  );
  expect([status, signal, status === 0 ? '' : stderr]).toEqual([0, null, '']);
  return JSON.parse(stdout.trim().split('\n').pop() ?? '') as Answer;
}

const OPS = [
  'TfjsNormalizationV1Normalize',
  'TfjsNormalizationV1NormalizeGrad',
];

/** One value is off its mean of 2 by 1, and 1 / sqrt(1 + 3) is exact. */
const Y = [-0.5, 0.5];

let folder: string;
beforeAll(() => {
  requireBuild();
  folder = mkdtempSync(join(tmpdir(), 'native-'));
});
afterAll(() => {
  rmSync(folder, {recursive: true, force: true});
});

/** A package in the place of the native one, with this as its index.js. */
function packageOf(name: string, program: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, program);
  return file;
}

describe('with the package installed', () => {
  it.each([undefined, '', '1'])(
    'its kernels compute, without a word: the variable is %p',
    (wish) => {
      const {ops, ...others} = run({}, wish);
      expect(ops).toEqual(expect.arrayContaining([...OPS]));
      expect(others).toEqual({y: Y, warnings: [], leaked: 0, workers: []});
    },
  );

  it('they do not if the variable is 0', () => {
    const {y, ops, warnings} = run({}, '0');
    expect({y, ops, warnings}).toEqual({y: Y, ops: [], warnings: []});
  });

  it('nothing is loaded if the flag NORMALIZATION_FUSED is off', () => {
    const at = packageOf('loud', "throw new Error('it is loaded')");
    const {y, ops, warnings} = run({at, fused: false}, '1');
    expect({y, ops, warnings}).toEqual({y: Y, ops: [], warnings: []});
  });
});

describe('where it cannot be used', () => {
  const situations = (): Array<[Situation, string]> => {
    const other = join(folder, 'other-machine');
    cpSync(NATIVE, other, {
      recursive: true,
      filter: (file) => !file.includes('prebuilt'),
    });
    return [
      [{at: null}, 'tfjs-normalization-native is not installed'],
      [{refused: true}, 'Cannot load native addon'],
      [{at: other}, 'there is no addon for'],
      [
        {at: packageOf('newer', 'exports.install = () => ({version: 2})')},
        'has ops of version 2, and 1 is needed',
      ],
      [
        {at: packageOf('idle', 'exports.install = () => ({version: 1})')},
        'TfjsNormalizationV1MovingStatistics',
      ],
    ];
  };

  it('others compute; one line says why if it was asked for', () => {
    for (const [situation, why] of situations()) {
      const asked = run(situation, '1');
      expect({y: asked.y, ops: asked.ops}).toEqual({y: Y, ops: []});
      expect(asked.warnings).toEqual([
        expect.stringMatching(/^tfjs-normalization: the native kernels asked /),
      ]);
      expect(asked.warnings[0]).toContain(why);
      const {y, ops, warnings} = run(situation);
      expect({y, ops, warnings}).toEqual({y: Y, ops: [], warnings: []});
    }
  }, 300_000);

  it('a wish that is neither 0 nor 1 is refused in words', () => {
    const {ops, warnings} = run({}, 'yes');
    expect(ops).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('must be 0 or 1')]);
  });

  it('the package by itself says that TensorFlow is missing, and later finds it', () => {
    const program = `
      require(${JSON.stringify(join(__dirname, '../support/node_polyfill.js'))});
      const {install} = require(${JSON.stringify(NATIVE)});
      try { install(); } catch (error) { console.log(error.message); }
      require('@tensorflow/tfjs-node');
      console.log(install().version);`;
    const {stdout} = spawnSync(process.execPath, ['-e', program], {
      cwd: __dirname,
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n')).toEqual([
      "TensorFlow's library is not in the process",
      '1',
    ]);
  });
});

describe('in one process', () => {
  it('workers compute and end, and then the main thread does', () => {
    const {workers, ...own} = run({workers: 3}, '1');
    expect(workers).toHaveLength(3);
    for (const {y, ops, warnings, leaked} of [own, ...workers]) {
      expect({y, warnings, leaked}).toEqual({y: Y, warnings: [], leaked: 0});
      expect(ops).toEqual(expect.arrayContaining([...OPS]));
    }
  });

  it('two copies of the package share the ops', () => {
    const copy = join(folder, 'copy');
    cpSync(NATIVE, copy, {recursive: true});
    const {y, ops, warnings} = run({others: [copy]}, '1');
    expect({y, warnings}).toEqual({y: Y, warnings: []});
    expect(ops).toEqual(expect.arrayContaining([...OPS]));
  });
});
