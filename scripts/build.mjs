// Builds dist/: ES modules for bundlers, CommonJS for Node, and for Node's own
// ES modules a thin wrapper around the CommonJS, so that a program has one
// instance of the package whatever mix of import and require it uses; and the
// command.
import {execFileSync} from 'node:child_process';
import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {bundleCommand} from './bundle-command.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
// Made whole before it takes the place of the last one, which a failure leaves.
const made = join(root, 'build', `dist-${process.pid}`);
const require = createRequire(import.meta.url);
const tsc = require.resolve('typescript/bin/tsc');

const ENTRIES = {
  index: 'src/index.js',
  patch: 'src/patch.js',
  node: 'src/node/index.js',
};

compile('cjs', 'commonjs');
compile('esm', 'module');
markAs('wrapper', 'module');
for (const [name, file] of Object.entries(ENTRIES)) wrap(name, file);
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

function markAs(folder, type) {
  mkdirSync(join(made, folder), {recursive: true});
  writeFileSync(
    join(made, folder, 'package.json'),
    `${JSON.stringify({type})}\n`,
  );
}

function wrap(name, file) {
  const target = join(made, 'cjs', file);
  const names = Object.keys(require(target)).filter((n) => n !== '__esModule');
  const from = relative(join(made, 'wrapper'), target).replaceAll('\\', '/');
  writeFileSync(
    join(made, 'wrapper', `${name}.js`),
    `import cjs from '${from}';\nexport const {${names.join(', ')}} = cjs;\n`,
  );
}
