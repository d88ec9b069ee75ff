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
import {
  artifactsIn,
  expectPredictions,
  type KerasCase,
  predictionsOf,
  readCases,
} from '../models/keras_models.js';
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
    for (const word of [
      'inspect',
      'convert',
      'fold',
      '--force',
      'Exit codes: 0;',
    ]) {
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

describe('convert', () => {
  const namesIn = async (path: string): Promise<string[]> => {
    const loaded = await tf.loadLayersModel(fileSystem(at(path)));
    return loaded.layers.map((layer) => layer.getClassName());
  };

  it('puts tf.js’s layers on this package’s, and back', async () => {
    const there = ['convert', 'model', 'ours', '--to', 'normalization'];
    expect(await run(there)).toEqual({
      code: 0,
      stdout: 'Written for tfjs-normalization: ours\n',
      stderr: '',
    });
    const ours = 'BatchNorm';
    expect(await namesIn('ours')).toEqual(['Dense', ours, 'ReLU', ours]);
    const back = ['convert', 'ours', 'theirs', '--to', 'stock', '--json'];
    const {stdout} = await run(back);
    const told = {model: 'ours', output: 'theirs', to: 'stock'};
    expect(parsed(stdout)).toEqual(told);
    const stock = 'BatchNormalization';
    expect(await namesIn('theirs')).toEqual(['Dense', stock, 'ReLU', stock]);
    const theirs = await tf.loadLayersModel(fileSystem(at('theirs')));
    const x = randomTensor([5, 2], 1);
    const [y, same] = [model.predict(x), theirs.predict(x)] as tf.Tensor[];
    const gap = difference(y as tf.Tensor, same as tf.Tensor);
    expect(gap).toBeLessThan(1e-6);
  });

  it('reads what Keras wrote; so do the other commands', async () => {
    const file = join(ROOT, 'test', 'fixtures', 'keras3_models.json');
    const [first] = readCases(file);
    await fileSystem(at('keras')).save?.(artifactsIn(first as KerasCase));
    const args = ['convert', 'keras', 'ours2', '--to', 'normalization'];
    expect((await run(args)).stderr).toBe('');
    expect(await namesIn('ours2')).toContain('BatchNorm');
    for (const path of ['keras', 'ours2']) {
      expect((await run(['inspect', path])).stdout).toContain('BatchNorm');
    }
    const {stdout} = await run(['fold', 'keras', 'folded2']);
    expect(stdout).toMatch(/^Folded \d of [1-9]/);
  });

  it('F16: puts what Keras wrote on tf.js’s own layers', async () => {
    for (const library of ['keras3', 'keras2']) {
      const file = join(ROOT, 'test', 'fixtures', `${library}_models.json`);
      const [first] = readCases(file) as [KerasCase];
      await fileSystem(at(library)).save?.(artifactsIn(first));
      const output = `${library}_stock`;
      const told = await run(['convert', library, output, '--to', 'stock']);
      expect(told).toEqual({
        code: 0,
        stdout: `Written for tf.js's own layers: ${output}\n`,
        stderr: '',
      });
      expect(await namesIn(output)).toContain('BatchNormalization');
      const stock = await tf.loadLayersModel(fileSystem(at(output)));
      expectPredictions(first, predictionsOf(first, stock));
    }
  });

  it('F9: reads what tf.js wrote and loads, whatever the layer', async () => {
    const cell = tf.layers.lstmCell({units: 2});
    const saved = tf.sequential({
      layers: [
        tf.layers.upSampling2d({
          inputShape: [2, 2, 3],
          interpolation: 'bilinear',
        }),
        tf.layers.reshape({targetShape: [4, 12]}),
        tf.layers.rnn({cell: [cell, tf.layers.gruCell({units: 2})]}),
        tf.layers.batchNormalization(),
      ],
    });
    await saved.save(fileSystem(at('cells')));
    const x = randomTensor([2, 2, 2, 3], 1);
    for (const to of ['normalization', 'stock']) {
      const output = `cells_${to}`;
      const {stderr} = await run(['convert', 'cells', output, '--to', to]);
      expect(stderr).toBe('');
      const read = await tf.loadLayersModel(fileSystem(at(output)));
      const [a, b] = [saved, read].map((each) => each.predict(x) as tf.Tensor);
      expect(difference(a as tf.Tensor, b as tf.Tensor)).toBeLessThan(1e-6);
    }
  });

  it('refuses what stock tf.js does not have, unless it may be lost', async () => {
    const norm = batchNorm({statistics: 'batch', inputShape: [2]});
    await tf.sequential({layers: [norm]}).save(fileSystem(at('batch')));
    const args = ['convert', 'batch', 'lost', '--to', 'stock'];
    const {code, stderr} = await run(args);
    expect(stderr).toMatch(/^tfjs-normalization: .*statistics.*\n$/);
    expect(code).toBe(1);
    expect(existsSync(at('lost', 'model.json'))).toBe(false);
    expect((await run([...args, '--lossy'])).code).toBe(0);
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
      'a conversion to nothing',
      ['convert', 'a', 'b'],
      2,
      /required option '--to <layers>' not specified/,
    ],
    [
      'a conversion to something else',
      ['convert', 'a', 'b', '--to', 'keras'],
      2,
      /'keras' is invalid. Allowed choices are normalization, stock/,
    ],
    [
      'a loss where none is',
      ['convert', 'model', 'b', '--to', 'normalization', '--lossy'],
      2,
      /--lossy is for --to stock/,
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
