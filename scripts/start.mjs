// `npm start`: builds the package and the example if they are older than their
// sources, and runs the example in this process, so that the arguments, Ctrl-C
// and the exit code are its own. With --build-only it only builds.
import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync, statSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

const PACKAGE = {
  command: [join(root, 'scripts/build.mjs')],
  sources: [
    ...['src', 'layers', 'package.json'],
    ...['scripts/build.mjs', 'scripts/script-tag.mjs'],
    ...['tsconfig.json', 'tsconfig.cjs.json', 'tsconfig.esm.json'],
  ],
  result: 'dist/wrapper/node.js',
};

const EXAMPLE = {
  command: [tsc, '-p', join(root, 'tsconfig.examples.json')],
  sources: [
    'examples',
    'bench',
    'tools',
    'dist/cjs',
    'tsconfig.json',
    'tsconfig.examples.json',
  ],
  result: 'build/examples/digits/main.js',
};

build(PACKAGE, 'the package');
build(EXAMPLE, 'the example');
if (process.argv[2] !== '--build-only') {
  await import(pathToFileURL(join(root, EXAMPLE.result)).href);
}

/** Prints nothing unless there is something to build. */
function build({command, sources, result}, what) {
  if (isFresh(join(root, result), sources)) return;
  console.log(`Building ${what} …`);
  const options = {cwd: root, encoding: 'utf8'};
  const {status, stdout, stderr} = spawnSync(
    process.execPath,
    command,
    options,
  );
  if (status === 0) return;
  console.error(`${stdout}${stderr}\nBuilding ${what} has failed.`);
  process.exit(1);
}

function isFresh(result, sources) {
  if (!existsSync(result)) return false;
  const made = statSync(result).mtimeMs;
  return sources.every((path) => newest(join(root, path)) < made);
}

/** A folder's own time is that of the last file added or removed. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).map((name) => newest(join(path, name)));
  return Math.max(stats.mtimeMs, ...inside);
}
