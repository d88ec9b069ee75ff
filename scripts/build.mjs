// Builds dist/: ES modules for bundlers, CommonJS for Node, and for Node's own
// ES modules a thin wrapper around the CommonJS, so that a program has one
// instance of the package with any mix of import and require; one file for a
// <script> tag; and the command.
import {execFileSync} from 'node:child_process';
import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import './build-simd.mjs';
import {bundleAsModule, bundleForScriptTag} from './script-tag.mjs';
import {bundleCommand, licencesOf} from './bundle-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
// Built whole before it replaces the last build, which survives a failure.
const made = join(root, 'build', `dist-${process.pid}`);
const require = createRequire(import.meta.url);
const tsc = require.resolve('typescript/bin/tsc');
const {browser, sideEffects} = require('../package.json');

const ENTRIES = {
  index: 'src/index.js',
  patch: 'src/patch.js',
  keras: 'src/keras.js',
  node: 'src/node/index.js',
};

compile('cjs', 'commonjs');
compile('esm', 'module');
await bundleDependencies('src/keras_file/inflate.js');
markAs('wrapper', 'module');
for (const [name, file] of Object.entries(ENTRIES)) wrap(name, file);
const entry = join(made, 'esm/src/index.js');
await bundleForScriptTag(entry, join(made, 'tfjs-normalization.min.js'));
await bundleAsModule(entry, join(made, 'tfjs-normalization.esm.js'));
await bundleCommand(join(root, 'src/bin/main.ts'), join(made, 'bin'));
rmSync(dist, {recursive: true, force: true});
renameSync(made, dist);

function compile(format, type) {
  const config = join(root, `tsconfig.${format}.json`);
  const outDir = join(made, format);
  execFileSync(process.execPath, [tsc, '-p', config, '--outDir', outDir], {
    stdio: 'inherit',
  });
  markAs(format, type);
}

/**
 * Bundlers read from the nearest package.json which modules have effects, and which are
 * replaced for browsers.
 */
function markAs(folder, type) {
  mkdirSync(join(made, folder), {recursive: true});
  writeFileSync(
    join(made, folder, 'package.json'),
    `${JSON.stringify({type, sideEffects, browser: replacedIn(folder)})}\n`,
  );
}

/** The entries of "browser" in package.json for one folder of dist/. */
function replacedIn(folder) {
  const prefix = `./dist/${folder}/`;
  return Object.fromEntries(
    Object.entries(browser)
      .filter(([file]) => file.startsWith(prefix))
      .map((pair) => pair.map((file) => file.replace(prefix, './'))),
  );
}

/**
 * Puts what a module imports from other packages into the module, so that users need
 * not install these.
 */
async function bundleDependencies(file) {
  const source = join(made, 'esm', file);
  const formats = {cjs: 'cjs', esm: 'esm'};
  const bundled = Object.entries(formats).map(([folder, format]) =>
    build({
      entryPoints: [source],
      outfile: join(made, folder, file),
      allowOverwrite: true,
      bundle: true,
      format,
      target: 'es2020',
      banner: {js: '/*! With fflate, MIT licence: see dist/LICENSES.txt */'},
      legalComments: 'none',
      logLevel: 'warning',
      metafile: true,
      write: false,
    }),
  );
  for (const {outputFiles, metafile} of await Promise.all(bundled)) {
    writeFileSync(outputFiles[0].path, outputFiles[0].contents);
    writeFileSync(join(made, 'LICENSES.txt'), licencesOf(metafile));
  }
}

function wrap(name, file) {
  const target = join(made, 'cjs', file);
  const names = Object.keys(require(target)).filter((n) => n !== '__esModule');
  const from = relative(join(made, 'wrapper'), target).replaceAll('\\', '/');
  writeFileSync(
    join(made, 'wrapper', `${name}.js`),
    `export {${names.join(', ')}} from '${from}';\n`,
  );
}
