// Tests the built command: run `npm run build` first.
import {spawn} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fromKerasFile} from 'tfjs-normalization/keras';
import {fileSystem} from 'tfjs-normalization/node';
import {
  artifactsIn,
  expectPredictions,
  type KerasCase,
  predictionsOf,
  readCases,
} from '../models/keras/keras_models.js';
import {expectCloseNow} from '../support/close.js';
import {randomTensor} from '../support/tensors.js';

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
  it.each([[['--help']], [[]], [['-h']], [['help']]])(
    '%j prints the help',
    async (args) => {
      const {code, stdout, stderr} = await run(args);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      for (const word of [
        'inspect',
        'convert',
        'fold',
        '--force',
        'Exit codes: 0 for success;',
      ]) {
        expect(stdout).toContain(word);
      }
      for (const line of stdout.split('\n')) {
        expect(line.length).toBeLessThanOrEqual(80);
      }
    },
  );

  it('each command has help of its own, and there is a version', async () => {
    const {stdout} = await run(['fold', '--help']);
    expect(stdout).toContain('fold [options] <model> <output>');
    expect(stdout).toContain('--json');
    const {version} = parsed(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as {version: string};
    expect((await run(['--version'])).stdout).toBe(`${version}\n`);
  });

  it.each([
    [['fold', '-h'], 'fold'],
    [['help', 'fold'], 'fold'],
    [['inspect', '-h'], 'inspect'],
    [['help', 'convert'], 'convert'],
  ])(
    'F34: %j prints the help of a command, with examples',
    async (args, name) => {
      const {code, stdout, stderr} = await run(args);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      expect(stdout).toContain(`Usage: tfjs-normalization ${name} [options]`);
      expect(stdout).toContain('-h, --help');
      expect(stdout).toContain(`Examples:\n  npx tfjs-normalization ${name} `);
      for (const line of stdout.split('\n')) {
        expect(line.length).toBeLessThanOrEqual(80);
      }
    },
  );

  it.each([
    [['fold', 'model'], /\(tfjs-normalization fold --help\)$/m],
    [['inspect', 'a', '--al'], /\(tfjs-normalization inspect --help\)$/m],
    [['convert', 'a', 'b'], /\(tfjs-normalization convert --help\)$/m],
    [['bake'], /'bake' \(tfjs-normalization --help\)$/m],
    [
      ['help', 'bake'],
      /unknown command 'bake' \(tfjs-normalization --help\)$/m,
    ],
  ])('F34: the hint after %j names the matching help', async (args, hint) => {
    const {code, stderr} = await run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(hint);
  });

  it('has the licences of the bundled packages, and needs no other package', () => {
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

  it('says how to install TensorFlow.js if it is missing', async () => {
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

  describe('F26: it reports', () => {
    const parts = {
      '@tensorflow/tfjs-core':
        'exports.enableProdMode = () => {}; exports.io = {}; ' +
        'exports.setBackend = async () => true;',
      '@tensorflow/tfjs-layers': '',
    };

    /**
     * Makes a project with these packages, and the command unless undefined.
     */
    function project(name: string, packages: Record<string, string>): string {
      const modules = at(name, 'node_modules');
      const own = join(modules, 'tfjs-normalization');
      cpSync(join(ROOT, 'dist', 'bin'), join(own, 'dist', 'bin'), {
        recursive: true,
      });
      const all = {...packages};
      all['tfjs-normalization'] ??= '';
      for (const [pkg, code] of Object.entries(all)) {
        mkdirSync(join(modules, pkg), {recursive: true});
        const exports = {
          '.': './index.js',
          './node': './index.js',
          './package.json': './package.json',
        };
        const main = pkg === 'tfjs-normalization' ? {exports} : {};
        const json = {name: pkg, version: '1.0.0', main: 'index.js', ...main};
        writeFileSync(join(modules, pkg, 'package.json'), JSON.stringify(json));
        writeFileSync(join(modules, pkg, 'index.js'), code);
      }
      return join(own, 'dist', 'bin', 'tfjs-normalization.cjs');
    }

    const said = async (command: string): Promise<string> => {
      const {code, stdout, stderr} = await run(['inspect', 'model'], command);
      expect({code, stdout}).toEqual({code: 1, stdout: ''});
      return stderr;
    };

    it('an installed package that fails to load', async () => {
      const broken = "throw new Error('no AVX')";
      const all = {...parts, '@tensorflow/tfjs-core': broken};
      expect(await said(project('broken', all))).toBe(
        'tfjs-normalization: @tensorflow/tfjs-core is installed, but does not ' +
          'load: no AVX\n',
      );
    });

    it('an installed package with a missing dependency', async () => {
      const all = {...parts, '@tensorflow/tfjs-layers': "require('lost')"};
      expect(await said(project('lacking', all))).toBe(
        'tfjs-normalization: @tensorflow/tfjs-layers is installed, but does not ' +
          "load: Cannot find module 'lost'\n",
      );
    });

    it('an installed package without its files', async () => {
      const command = project('emptied', parts);
      rmSync(
        at('emptied', 'node_modules', '@tensorflow', 'tfjs-core', 'index.js'),
      );
      expect(await said(command)).toMatch(
        /tfjs-core is installed, but does not load: Cannot find module .*\n$/,
      );
    });

    it('the missing part of TensorFlow.js', async () => {
      const {['@tensorflow/tfjs-core']: core} = parts;
      const all = {'@tensorflow/tfjs-core': core};
      expect(await said(project('half', all))).toBe(
        'tfjs-normalization: @tensorflow/tfjs-layers is not installed: ' +
          'npm install @tensorflow/tfjs\n',
      );
    });

    it('that only the backend is missing', async () => {
      expect(await said(project('without', parts))).toBe(
        'tfjs-normalization: TensorFlow.js is installed, but its cpu backend ' +
          'is not: npm install @tensorflow/tfjs-backend-cpu\n',
      );
    });

    it('that the backend fails to load', async () => {
      const broken = {'@tensorflow/tfjs-backend-cpu': "throw new Error('bad')"};
      expect(await said(project('bad', {...parts, ...broken}))).toBe(
        'tfjs-normalization: @tensorflow/tfjs-backend-cpu is installed, but does ' +
          'not load: bad\n',
      );
    });

    it('that this package fails to load', async () => {
      const broken = {'tfjs-normalization': "throw new Error('bad')"};
      expect(await said(project('own', {...parts, ...broken}))).toContain(
        'tfjs-normalization is installed, but does not load: bad',
      );
    });
  });
});

describe('F10: modules with custom layers', () => {
  /** The code of a module that registers a layer which doubles its input. */
  const layerCode = (name: string): string =>
    `class ${name} extends tf.layers.Layer {
      call(x) { return tf.mul([x].flat()[0], 2); }
      computeOutputShape(shape) { return shape; }
      static className = '${name}';
    }
    tf.serialization.registerClass(${name});`;

  beforeAll(async () => {
    symlinkSync(join(ROOT, 'node_modules'), at('node_modules'));
    const commonJs = "const tf = require('@tensorflow/tfjs');";
    writeFileSync(at('twice.cjs'), commonJs + layerCode('Twice'));
    const esm = "import * as tf from '@tensorflow/tfjs';";
    writeFileSync(at('double.mjs'), esm + layerCode('Double'));
    writeFileSync(at('broken.mjs'), "throw new Error('no luck')");
    const classes = ['Twice', 'Double'].map((name) => {
      class Custom extends tf.layers.Layer {
        static readonly className = name;
        override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
          return tf.mul([x].flat()[0] as tf.Tensor, 2);
        }
        override computeOutputShape(shape: tf.Shape): tf.Shape {
          return shape;
        }
      }
      tf.serialization.registerClass(Custom);
      return Custom;
    });
    const custom = tf.sequential({
      layers: [
        tf.layers.dense({units: 3, inputShape: [2]}),
        batchNorm({name: 'norm'}),
        ...classes.map((Custom) => new Custom({})),
      ],
    });
    await custom.save(fileSystem(at('custom')));
  });

  afterAll(() => rmSync(at('node_modules')));

  const both = ['--import', './twice.cjs', '--import', 'double.mjs'];

  it('are loaded, of either kind, and several at once', async () => {
    const none = await run(['inspect', 'custom']);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/Twice.*--import <module> loads a module/);
    const to = ['convert', 'custom', 'custom3', '--to', 'stock'];
    expect((await run(to)).stderr).toMatch(/Twice.*--import <module> loads/);
    expect((await run([...to, ...both])).stderr).toBe('');
    const one = await run(['inspect', 'custom', '--import', './twice.cjs']);
    expect(one.stderr).toContain('Double');
    const {code, stdout, stderr} = await run(['inspect', 'custom', ...both]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^norm +BatchNorm/m);
    const folded = await run(['fold', 'custom', 'custom2', ...both]);
    expect(folded.stderr).toBe('');
    expect(folded.stdout).toContain('Folded 1 of 1');
  });

  it('are named if they are missing', async () => {
    const {code, stderr} = await run([
      'inspect',
      'model',
      '--import',
      './no.js',
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^tfjs-normalization: --import \.\/no\.js: there is no such file .*\n$/,
    );
    const broken = await run(['inspect', 'model', '--import', './broken.mjs']);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toBe(
      'tfjs-normalization: --import ./broken.mjs: it does not load: no luck\n',
    );
  });
});

describe('F10: the metadata of a user', () => {
  it.each([
    ['fold', []],
    ['convert', ['--to', 'stock']],
    ['convert', ['--to', 'normalization']],
  ])('is kept by %s %j', async (command, options) => {
    const artifacts = await fileSystem(at('model')).load?.();
    const userDefinedMetadata = {classes: ['a', 'b'], version: 3};
    const input = {...artifacts, userDefinedMetadata} as tf.io.ModelArtifacts;
    await fileSystem(at('told')).save?.(input);
    const args = [command, 'told', 'told2', '--force', ...options];
    expect((await run(args)).code).toBe(0);
    const written = await fileSystem(at('told2')).load?.();
    expect(written?.userDefinedMetadata).toEqual(userDefinedMetadata);
  });
});

describe('F10: quantized weights', () => {
  /** Saves the model with its first kernel quantized to bytes. */
  async function quantized(path: string, scale: number): Promise<void> {
    const artifacts = await fileSystem(at('model')).load?.();
    if (artifacts === undefined) throw new Error('there is no model');
    const [first, ...others] = artifacts.weightSpecs ?? [];
    if (first === undefined) throw new Error('there are no weights');
    const size = first.shape.reduce((a, b) => a * b, 1);
    const rest = new Uint8Array(artifacts.weightData as ArrayBuffer, 4 * size);
    const data = new Uint8Array([...Array(size).keys(), ...rest]);
    const quantization = {dtype: 'uint8' as const, scale, min: -1};
    await fileSystem(path).save?.({
      ...artifacts,
      weightSpecs: [{...first, quantization}, ...others],
      weightData: data.buffer,
    });
  }

  it('are kept by convert', async () => {
    await quantized(at('small'), 0.25);
    for (const to of ['stock', 'normalization']) {
      const {code} = await run(['convert', 'small', `small-${to}`, '--to', to]);
      expect(code).toBe(0);
      const [before, after] = [
        await fileSystem(at('small')).load?.(),
        await fileSystem(at(`small-${to}`)).load?.(),
      ];
      expect(after?.weightSpecs?.[0]?.quantization).toEqual(
        before?.weightSpecs?.[0]?.quantization,
      );
      const bytes = (a?: tf.io.ModelArtifacts): Buffer =>
        Buffer.from(a?.weightData as ArrayBuffer);
      expect(bytes(after).equals(bytes(before))).toBe(true);
    }
  });

  it('are reported if folding writes them as float32', async () => {
    await quantized(at('small2'), 0.25);
    const {stdout} = await run(['fold', 'small2', 'small2-folded']);
    expect(stdout).toContain(
      'Its weights were quantized to uint8. They are written as float32, which ' +
        'takes\nup to 4 times the space.\n',
    );
    const json = await run(['fold', 'small2', 'small3-folded', '--json']);
    expect(parsed(json.stdout)).toMatchObject({dequantized: ['uint8']});
    const plain = await run(['fold', 'model', 'plain', '--json']);
    expect(parsed(plain.stdout)).toMatchObject({dequantized: []});
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
  it('writes a model that predicts the same, and reports the result', async () => {
    const {code, stdout, stderr} = await run(['fold', 'model', 'folded']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toBe(
      'Folded 1 of 2 batch normalizations: folded\n' +
        'Not folded:\n' +
        '  stock: relu, before it, is ReLU, into which nothing can be folded\n',
    );
    const folded = await tf.loadLayersModel(fileSystem(at('folded')));
    const x = randomTensor([5, 2], 1);
    const [a, b] = [model.predict(x), folded.predict(x)] as tf.Tensor[];
    // One normalization, or two, in another order.
    expectCloseNow(a as tf.Tensor, b as tf.Tensor, {
      what: 'y',
      roundings: 8,
      scale: 2,
    });
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
      'its input, by another path',
      join('model', 'model.json'),
      'this is the input',
    ],
    ['another model', 'other', 'a model already exists here'],
  ])('does not overwrite %s without --force', async (_, output, reason) => {
    cpSync(at('model'), at('other'), {recursive: true});
    const before = snapshot(folder);
    expect(await run(['fold', 'model', output])).toEqual({
      code: 2,
      stdout: '',
      stderr: `tfjs-normalization: ${output}: ${reason}; --force overwrites it\n`,
    });
    expect(snapshot(folder)).toEqual(before);
  });

  it('overwrites its input with --force', async () => {
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

  it('converts tf.js’s layers to this package’s, and back', async () => {
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
    // One normalization, or two, in another order.
    expectCloseNow(y as tf.Tensor, same as tf.Tensor, {
      what: 'y',
      roundings: 8,
      scale: 2,
    });
  });

  it('writes and reads .keras files; so do the other commands', async () => {
    const there = ['convert', 'model', join('files', 'small.keras')];
    expect(await run(there)).toEqual({
      code: 0,
      stdout: `Written for Keras 3: ${join('files', 'small.keras')}\n`,
      stderr: '',
    });
    expect(readdirSync(at('files'))).toEqual(['small.keras']);
    const file = join('files', 'small.keras');
    const names = ['InputLayer', 'Dense', 'BatchNorm', 'ReLU', 'BatchNorm'];
    expect((await run(['convert', file, 'back'])).code).toBe(0);
    expect(await namesIn('back')).toEqual(names);
    const stock = ['convert', file, 'plain', '--to', 'stock', '--json'];
    expect(parsed((await run(stock)).stdout)).toEqual({
      ...{model: file, output: 'plain', to: 'stock'},
    });
    expect(await namesIn('plain')).toContain('BatchNormalization');
    expect((await run(['inspect', file])).stdout).toContain('BatchNorm');
    const folded = ['fold', file, join('files', 'folded.keras')];
    expect((await run(folded)).stdout).toMatch(/^Folded 1 of 2/);
    const x = randomTensor([5, 2], 1);
    for (const path of [file, join('files', 'folded.keras')]) {
      const loaded = await fromKerasFile(at(path));
      const [y, same] = [model.predict(x), loaded.predict(x)] as tf.Tensor[];
      // Two normalizations, in another order.
      expectCloseNow(y as tf.Tensor, same as tf.Tensor, {
        what: 'y',
        roundings: 8,
        scale: 2,
      });
    }
  });

  it('reads Keras’s files; so do the other commands', async () => {
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

  it('reads and writes Normalization, and says that tf.js lacks it', async () => {
    const file = join(ROOT, 'test', 'fixtures', 'keras3_models.json');
    const given = readCases(file).find(
      ({name}) => name === 'a feature normalization first',
    ) as KerasCase;
    await fileSystem(at('features')).save?.(artifactsIn(given));
    const there = ['convert', 'features', 'scaled', '--to', 'normalization'];
    expect(await run(there)).toMatchObject({code: 0, stderr: ''});
    expect(await namesIn('scaled')).toContain('Normalization');
    const scaled = await tf.loadLayersModel(fileSystem(at('scaled')));
    expectPredictions(given, predictionsOf(given, scaled));
    for (const path of ['features', 'scaled']) {
      const {stdout} = await run(['inspect', path]);
      expect(stdout).toMatch(/^layer +kind +axis +mean +variance +count$/m);
      expect(stdout).toMatch(/^normalization +Normalization +-1 /m);
    }
    const back = await run(['convert', 'scaled', 'no', '--to', 'stock']);
    expect(back.code).not.toBe(0);
    expect(back.stderr).toContain('stock tf.js has no such layer');
  });

  it('F16: converts Keras’s files to tf.js’s own layers', async () => {
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

  it('F9: reads every layer that tf.js writes and loads', async () => {
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
      // One normalization, or two, in another order.
      expectCloseNow(a as tf.Tensor, b as tf.Tensor, {
        what: 'y',
        roundings: 8,
        scale: 2,
      });
    }
  });

  it('refuses options that stock tf.js does not have, unless --lossy is given', async () => {
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

describe('an invalid request', () => {
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
      'an output other than a model.json',
      ['fold', 'model', 'x.json'],
      2,
      /x\.json: must be a folder/,
    ],
    [
      'a conversion without --to',
      ['convert', 'a', 'b'],
      2,
      /required option '--to <layers>' not specified/,
    ],
    [
      'a file of Keras for other layers',
      ['convert', 'model', 'b.keras', '--to', 'stock'],
      2,
      /b\.keras: --to is for a folder, and this is a file/,
    ],
    [
      'a file that is not of Keras',
      ['convert', 'text.keras', 'b'],
      1,
      /fromKerasFile: /,
    ],
    [
      'a conversion to an unknown library',
      ['convert', 'a', 'b', '--to', 'keras'],
      2,
      /'keras' is invalid. Allowed choices are normalization, stock/,
    ],
    [
      '--lossy where nothing is lost',
      ['convert', 'model', 'b', '--to', 'normalization', '--lossy'],
      2,
      /--lossy works only with --to stock/,
    ],
    [
      'no such model',
      ['inspect', 'nowhere'],
      1,
      /nowhere: there is no .*nowhere/,
    ],
    ['a file without a model', ['inspect', 'text.json'], 1, /text\.json/],
    [
      'an output in a file',
      ['fold', 'model', join('text.json', 'out')],
      1,
      /text\.json/,
    ],
  ])('%s: one line, and nothing written', async (_, args, expected, line) => {
    writeFileSync(at('text.json'), 'text');
    writeFileSync(at('text.keras'), 'text');
    const before = snapshot(folder);
    const {code, stdout, stderr} = await run(args);
    expect(stderr.split('\n')).toEqual([expect.stringMatching(line), '']);
    expect({code, stdout}).toEqual({code: expected, stdout: ''});
    expect(snapshot(folder)).toEqual(before);
  });
});
