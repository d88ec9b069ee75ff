// The help, the installation and the errors of the built command.
import {cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {
  COMMAND,
  ROOT,
  at,
  folder,
  parsed,
  run,
  savedModel,
  snapshot,
} from './support.js';

beforeAll(savedModel);

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
          './keras': './index.js',
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
