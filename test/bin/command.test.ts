// The command as it is built and installed: `npm run build` makes it.
import {spawn} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {difference, randomTensor} from '../support/tensors.js';

const ROOT = join(__dirname, '..', '..');
const COMMAND = join(ROOT, 'dist', 'bin', 'tfjs-normalization.cjs');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let model: tf.LayersModel;

const at = (...path: string[]): string => join(folder, ...path);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'command-'));
  model = tf.sequential({
    name: 'small',
    layers: [
      tf.layers.dense({name: 'dense', units: 3, inputShape: [2]}),
      batchNorm({name: 'norm'}),
      tf.layers.reLU({name: 'relu'}),
      tf.layers.batchNormalization({name: 'stock'}),
    ],
  });
  await model.save(fileSystem(at('model')));
});

afterAll(() => rmSync(folder, {recursive: true}));

function run(args: string[], command = COMMAND): Promise<Ended> {
  if (!existsSync(command)) {
    throw new Error(`${command} is missing: "npm run build" makes it`);
  }
  const child = spawn(process.execPath, [command, ...args], {cwd: folder});
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({code, stdout, stderr}));
  });
}

const parsed = (text: string): unknown => JSON.parse(text);

/** Every file below a folder, with its content. */
function snapshot(path: string): Record<string, string> {
  const entries = readdirSync(path, {recursive: true, withFileTypes: true});
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(file, 'latin1')]),
  );
}

describe('tfjs-normalization', () => {
  it.each([[['--help']], [[]]])('%j says what it can do', async (args) => {
    const {code, stdout, stderr} = await run(args);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    for (const word of ['inspect', 'fold', '--force', 'Exit codes: 0;']) {
      expect(stdout).toContain(word);
    }
    for (const line of stdout.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  it('each command has help of its own, and there is a version', async () => {
    const {stdout} = await run(['fold', '--help']);
    expect(stdout).toContain('fold [options] <model> <output>');
    expect(stdout).toContain('--json');
    const {version} = parsed(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as {version: string};
    expect((await run(['--version'])).stdout).toBe(`${version}\n`);
  });

  it('comes with the licences of what is bundled in, and needs no package', () => {
    const licences = readFileSync(join(COMMAND, '..', 'LICENSES.txt'), 'utf8');
    expect(licences).toContain('Copyright (c) 2011 TJ Holowaychuk');
    const {dependencies} = parsed(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as {dependencies?: unknown};
    expect(dependencies).toBeUndefined();
    const required = readFileSync(COMMAND, 'utf8').matchAll(
      /\brequire\("([^"]+)"\)/g,
    );
    for (const [, name = ''] of required)
      expect(name).toMatch(/^(node:|[a-z_]+$)/);
  });

  it('says how to install TensorFlow.js where it is not there', async () => {
    const copy = at('elsewhere', 'node_modules', 'tfjs-normalization');
    mkdirSync(copy, {recursive: true});
    for (const name of ['dist', 'package.json']) {
      cpSync(join(ROOT, name), join(copy, name), {recursive: true});
    }
    const command = join(copy, 'dist', 'bin', 'tfjs-normalization.cjs');
    expect(await run(['inspect', 'model'], command)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'tfjs-normalization: TensorFlow.js is not installed in this project: ' +
        'npm install @tensorflow/tfjs\n',
    });
    expect((await run(['--help'], command)).code).toBe(0);
  });
});

describe('inspect', () => {
  it('prints a table', async () => {
    const {code, stdout, stderr} = await run(['inspect', 'model']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^layer +kind +axis +gamma/);
    expect(stdout).toMatch(/^norm +BatchNorm +-1 +1 +0 +0 +1$/m);
    expect(stdout).toContain('norm: the moving statistics have never moved');
  });

  it('prints JSON', async () => {
    const file = join('model', 'model.json');
    const {stdout} = await run(['inspect', '--json', file]);
    expect(parsed(stdout)).toMatchObject({
      model: file,
      layers: [
        {layer: 'norm', kind: 'BatchNorm', weights: {gamma: {min: 1, max: 1}}},
        {layer: 'stock', kind: 'BatchNormalization'},
      ],
    });
  });
});

describe('fold', () => {
  it('writes a model that predicts the same, and says what it did', async () => {
    const {code, stdout, stderr} = await run(['fold', 'model', 'folded']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toBe(
      'Folded 1 of 2 batch normalizations: folded\n' +
        'Not folded:\n' +
        '  stock: relu, before it, is ReLU, which has no kernel to fold into\n',
    );
    const folded = await tf.loadLayersModel(fileSystem(at('folded')));
    const x = randomTensor([5, 2], 1);
    const [a, b] = [model.predict(x), folded.predict(x)] as tf.Tensor[];
    expect(difference(a as tf.Tensor, b as tf.Tensor)).toBeLessThan(1e-6);
    expect(folded.layers.map(({name}) => name)).toEqual([
      'dense',
      'relu',
      'stock',
    ]);
  });

  it('prints JSON', async () => {
    const {stdout} = await run([
      'fold',
      'model',
      join('f2', 'model.json'),
      '--json',
    ]);
    expect(parsed(stdout)).toMatchObject({
      folded: ['norm'],
      kept: [{layer: 'stock'}],
    });
    expect(existsSync(at('f2', 'model.json'))).toBe(true);
  });

  it.each([
    ['its input', 'model', 'this is the input'],
    [
      'its input, named otherwise',
      join('model', 'model.json'),
      'this is the input',
    ],
    ['another model', 'other', 'there is a model already'],
  ])('does not write over %s unless told to', async (_, output, reason) => {
    cpSync(at('model'), at('other'), {recursive: true});
    const before = snapshot(folder);
    expect(await run(['fold', 'model', output])).toEqual({
      code: 2,
      stdout: '',
      stderr: `tfjs-normalization: ${output}: ${reason}; --force writes over it\n`,
    });
    expect(snapshot(folder)).toEqual(before);
  });

  it('writes over its input if told to', async () => {
    cpSync(at('model'), at('again'), {recursive: true});
    expect((await run(['fold', 'again', 'again', '--force'])).code).toBe(0);
    const folded = await tf.loadLayersModel(fileSystem(at('again')));
    expect(folded.layers).toHaveLength(3);
  });
});

describe('what cannot be done', () => {
  it.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['bake'], 2, /unknown command 'bake' \(tfjs-norm/],
    [
      'an unknown option',
      ['inspect', 'model', '--all'],
      2,
      /unknown option '--all'/,
    ],
    [
      'a missing argument',
      ['fold', 'model'],
      2,
      /missing required argument 'output'/,
    ],
    ['one too many', ['inspect', 'a', 'b'], 2, /too many arguments/],
    [
      'an output that is no model.json',
      ['fold', 'model', 'x.json'],
      2,
      /x\.json: a model is written to a folder/,
    ],
    [
      'no such model',
      ['inspect', 'nowhere'],
      1,
      /nowhere: there is no .*nowhere/,
    ],
    ['a file that is no model', ['inspect', 'text.json'], 1, /text\.json/],
    [
      'an output in a file',
      ['fold', 'model', join('text.json', 'out')],
      1,
      /text\.json/,
    ],
  ])('%s: one line, and nothing written', async (_, args, expected, line) => {
    writeFileSync(at('text.json'), 'text');
    const before = snapshot(folder);
    const {code, stdout, stderr} = await run(args);
    expect(stderr.split('\n')).toEqual([expect.stringMatching(line), '']);
    expect({code, stdout}).toEqual({code: expected, stdout: ''});
    expect(snapshot(folder)).toEqual(before);
  });
});
