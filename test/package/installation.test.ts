// Requirements of installers, bundlers and parsers other than Node's.
// `npm run consumers` tests the package in real projects.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import * as ts from 'typescript';
import {ONE_COPY} from '../../src/layer_support/one_copy.js';
import {documentBlocks} from '../docs/blocks.js';

const ROOT = resolve(__dirname, '../..');
const ESM = join(ROOT, 'dist/esm');

const read = (...path: string[]): string =>
  readFileSync(join(ROOT, ...path), 'utf8');

/** Modules for browsers and React Native: all except those only for Node. */
const modules = readdirSync(ESM, {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.js') && !name.includes('node/'))
  .map((name) => ({name, code: readFileSync(join(ESM, name), 'utf8')}));

interface Manifest {
  readonly browser: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, Record<string, {default: string}>>>;
}

const manifest = JSON.parse(read('package.json')) as Manifest;

describe('the modules that are published', () => {
  it('F22: have no syntax that Metro’s Babel does not support', () => {
    expect(modules.length).toBeGreaterThan(50);
    for (const {name, code} of modules) {
      expect([name, code.includes('export * as ')]).toEqual([name, false]);
    }
  });

  it('F33: use nothing newer than ES2020', () => {
    const newer =
      /\.(at|findLast|findLastIndex|hasOwn|replaceAll|toSorted|toReversed|toSpliced)\(|structuredClone\(|\?\?=|\|\|=|&&=/;
    for (const {name, code} of modules) {
      expect([name, newer.exec(code)?.[0]]).toEqual([name, undefined]);
    }
  });
});

describe('all modules and types that are published', () => {
  it('need nothing but tf.js and Node', () => {
    const files = ['cjs', 'esm'].flatMap((format) =>
      readdirSync(join(ROOT, 'dist', format), {
        recursive: true,
        encoding: 'utf8',
      })
        .filter((name) => /\.(js|d\.ts)$/.test(name))
        .map((name) => join('dist', format, name)),
    );
    expect(files.length).toBeGreaterThan(500);
    const needed = files.flatMap((name) =>
      ts
        .preProcessFile(read(name), true, true)
        .importedFiles.map(({fileName}) => fileName),
    );
    const others = needed.filter((from) => !/^(\.|node:)/.test(from));
    expect(new Set(others)).toEqual(
      new Set(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']),
    );
  });
});

describe('F27: the wrappers for Node', () => {
  it.each(['index', 'patch', 'keras', 'node'])('%s exports by name', (name) => {
    const code = read('dist/wrapper', `${name}.js`);
    expect(code).toMatch(/^export \{[^}]+\} from '\.\.\/cjs\/src\/.+\.js';\n$/);
  });

  it('are passed over by bundlers, which take the modules', () => {
    for (const entry of ['.', './patch', './keras', './node']) {
      const conditions = manifest.exports[entry] ?? {};
      expect(Object.keys(conditions)[0]).toBe('module');
      expect(conditions.module?.default).toMatch(/^\.\/dist\/esm\//);
    }
  });
});

describe('F32: without support for exports, or without files', () => {
  it.each(['patch', 'keras', 'node'])('%s is found in its folder', (name) => {
    const folder = JSON.parse(read(name, 'package.json')) as {
      main: string;
      module: string;
      types: string;
    };
    for (const file of [folder.main, folder.module, folder.types]) {
      expect([file, existsSync(join(ROOT, name, file))]).toEqual([file, true]);
    }
  });

  it('a bundle for browsers gets other files in the place of three', () => {
    const replaced = Object.entries(manifest.browser);
    expect(replaced).toHaveLength(6);
    for (const file of replaced.flat()) {
      expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
    }
    // Bundlers read the nearest package.json.
    for (const format of ['cjs', 'esm']) {
      const {browser} = JSON.parse(read(`dist/${format}/package.json`)) as {
        browser: Record<string, string>;
      };
      expect(Object.keys(browser)).toEqual([
        './src/kernels/backends/tensorflow/kernels.js',
        './src/node/files.js',
        './src/node/read_local.js',
      ]);
    }
  });
});

describe('F34: the one file of modules', () => {
  it('imports only tf.js, and has every name', () => {
    const code = read('dist/tfjs-normalization.esm.js');
    const imports = [...code.matchAll(/from"([@.\w/-]+)"/g)].map(
      ([, from]) => from,
    );
    expect(new Set(imports)).toEqual(
      new Set(['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']),
    );
    const names = (text: string): string[] => {
      const [, list = ''] = /export ?\{([^}]*)\}[^{}]*$/.exec(text) ?? [];
      return list.split(',').map((name) => name.replace(/^.* as /, '').trim());
    };
    const all = names(code).sort();
    expect(all.length).toBeGreaterThan(15);
    expect(all).toEqual(names(read('dist/wrapper/index.js')).sort());
  });
});

describe('the documents', () => {
  it("F25: have the same Plug'n'Play settings as the project that tests it", () => {
    const [block] = documentBlocks().filter(({code}) =>
      code.startsWith('packageExtensions:'),
    );
    expect(read('test/consumers/yarn-pnp/.yarnrc.yml')).toContain(block?.code);
  });

  it('F30: have no top-level await for browsers', () => {
    const blocks = documentBlocks().filter(({where}) => where === 'browser');
    expect(blocks.length).toBeGreaterThan(0);
    for (const {code} of blocks) expect(code).not.toMatch(/^(?! ).*\bawait\b/m);
  });
});

it('F28: the message about two copies names the packages to leave out of a bundle', () => {
  expect(ONE_COPY).toContain('/^@tensorflow\\//');
  expect(ONE_COPY).toContain('serverExternalPackages');
});
