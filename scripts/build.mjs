// Builds dist/: ES modules for bundlers, CommonJS for Node, and for Node's own
// ES modules a thin wrapper around the CommonJS, so that a program has one
// instance of the package whatever mix of import and require it uses.
import {execFileSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const require = createRequire(import.meta.url);
const tsc = require.resolve('typescript/bin/tsc');

const ENTRIES = {
  index: 'src/index.js',
  patch: 'src/patch.js',
  node: 'src/node/index.js',
};

rmSync(dist, {recursive: true, force: true});
compile('cjs', 'commonjs');
compile('esm', 'module');
markAs('wrapper', 'module');
for (const [name, file] of Object.entries(ENTRIES)) wrap(name, file);

function compile(format, type) {
  const config = join(root, `tsconfig.${format}.json`);
  execFileSync(process.execPath, [tsc, '-p', config], {stdio: 'inherit'});
  markAs(format, type);
}

function markAs(folder, type) {
  mkdirSync(join(dist, folder), {recursive: true});
  writeFileSync(
    join(dist, folder, 'package.json'),
    `${JSON.stringify({type})}\n`,
  );
}

function wrap(name, file) {
  const target = join(dist, 'cjs', file);
  const names = Object.keys(require(target)).filter((n) => n !== '__esModule');
  const from = relative(join(dist, 'wrapper'), target).replaceAll('\\', '/');
  writeFileSync(
    join(dist, 'wrapper', `${name}.js`),
    `import cjs from '${from}';\nexport const {${names.join(', ')}} = cjs;\n`,
  );
}
