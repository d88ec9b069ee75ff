// Adds the optional peer @tensorflow/tfjs-node to node_modules, without
// changing package.json and package-lock.json.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const NAME = '@tensorflow/tfjs-node';
const VERSION = '4.22.0';
const WHEEL = 'tensorflow-cpu';
const WHEEL_VERSION = '2.21.0';
const PLATFORM = 'manylinux_2_27_x86_64';

const HELP = `Usage: npm run add-tensorflow [-- --build]

Adds ${NAME} ${VERSION} to node_modules, for the tests on TensorFlow's
backend. package.json and package-lock.json stay as they are, so the next
"npm install" or "npm ci" removes it again, as this removes everything else
added with --no-save.

The package's own install script downloads libtensorflow and the binding.
If that fails, or with --build, libtensorflow comes from the PyPI wheel
${WHEEL} ${WHEEL_VERSION} (270 MB) and node-gyp builds the binding. That needs
Linux on x64, python3 with pip, make, a C++ compiler and 2 GB of disk.

  --build  do not try the package's own install script
  --help   print this`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, 'node_modules', '.cache', 'add-tensorflow');
const home = join(root, 'node_modules', NAME);
const deps = join(home, 'deps');

main(process.argv.slice(2));

function main(options) {
  const unknown = options.find((name) => !/^--(build|help)$/.test(name));
  if (unknown !== undefined) {
    console.error(`add-tensorflow: unknown option ${unknown} (try --help)`);
    process.exitCode = 2;
  } else if (options.includes('--help')) {
    console.log(HELP);
  } else {
    addOrSayWhyNot(options.includes('--build'));
  }
}

function addOrSayWhyNot(build) {
  try {
    const already = versionThatLoads();
    const runs = already ? 'already runs' : 'runs now';
    console.log(`${NAME} ${runs}, on TensorFlow ${already ?? add(build)}`);
  } catch (error) {
    console.error(`add-tensorflow: ${error.message}`);
    process.exitCode = 1;
  }
}

function versionThatLoads() {
  try {
    return tensorflowVersion();
  } catch {
    return undefined;
  }
}

function add(build) {
  installWithoutScripts();
  if (!build) {
    try {
      runOwnInstallScript();
      return tensorflowVersion();
    } catch (error) {
      console.log(`${error.message}; building it instead`);
    }
  }
  layOutLibtensorflow();
  buildBinding();
  return tensorflowVersion();
}

/**
 * Uses the lock file, or else npm would update other packages. Installs a dev
 * dependency, because npm installs nothing and says "up to date" for an
 * optional peer. Includes dev dependencies, because under NODE_ENV=production
 * npm would remove them all.
 */
function installWithoutScripts() {
  const how = ['--no-save', '--save-dev', '--include=dev', '--ignore-scripts'];
  npm(`install ${NAME} ${VERSION}`, ['install', ...how, `${NAME}@${VERSION}`]);
}

/**
 * A separate step: npm 11 refuses --allow-scripts inside a project and npm 10
 * does not know it, and `npm install` removes a package whose script fails.
 */
function runOwnInstallScript() {
  npm('run its install script', ['run', 'install'], home);
}

function layOutLibtensorflow() {
  const on = `${process.platform} ${process.arch}`;
  if (on !== 'linux x64') throw new Error(`no way to build it on ${on}`);
  const wheel = getWheel();
  // Leftovers of a broken download must not be linked.
  fs.rmSync(deps, {recursive: true, force: true});
  const unpacked = join(deps, 'wheel');
  step('unpack it', 'python3', ['-m', 'zipfile', '-e', wheel, unpacked]);
  takeFromWheel(join(unpacked, 'tensorflow'), join(deps, 'lib'));
  fs.rmSync(unpacked, {recursive: true});
}

/**
 * A wheel for any Python will do, since only its C and C++ parts are used, but
 * pip needs one to be named. pip keeps the wheel of an earlier run if its hash
 * is right.
 */
function getWheel() {
  const wheel = `${WHEEL}==${WHEEL_VERSION}`;
  const tags = ['--python-version=3.12', `--platform=${PLATFORM}`];
  const how = ['--no-deps', '--only-binary=:all:', ...tags, `--dest=${cache}`];
  const download = ['-m', 'pip', 'download', ...how, wheel];
  step(`get ${wheel} from PyPI`, 'python3', download);
  const name = WHEEL.replace('-', '_');
  return join(cache, `${name}-${WHEEL_VERSION}-cp312-cp312-${PLATFORM}.whl`);
}

/** Moved, not linked: node_modules/.cache may be emptied at any time. */
function takeFromWheel(from, lib) {
  fs.mkdirSync(lib);
  fs.renameSync(join(from, 'include'), join(deps, 'include'));
  for (const [file, nameToLinkWith] of [
    ['libtensorflow_cc.so.2', 'libtensorflow.so'],
    ['libtensorflow_framework.so.2', 'libtensorflow_framework.so'],
  ]) {
    fs.renameSync(join(from, file), join(lib, file));
    fs.symlinkSync(file, join(lib, nameToLinkWith));
  }
}

function buildBinding() {
  const file = 'tfjs_binding.node';
  const to = join(home, 'lib', 'napi-v8');
  const settings =
    '--module_name=tfjs_binding --module_path=./lib/napi-v8 ' +
    `--napi_build_version=8 ${nodedir()}`;
  // `npm exec --call` finds npm's own node-gyp, so nothing is downloaded.
  const build = ['exec', '--call', `node-gyp rebuild ${settings}`];
  npm('build the binding', build, home);
  fs.mkdirSync(to, {recursive: true});
  fs.copyFileSync(join(home, 'build', 'Release', file), join(to, file));
}

/** Without headers beside this Node, node-gyp downloads them. */
function nodedir() {
  const prefix = dirname(dirname(process.execPath));
  const header = join(prefix, 'include', 'node', 'node_api.h');
  return fs.existsSync(header) ? `--nodedir="${prefix}"` : '';
}

function tensorflowVersion() {
  const polyfill = join(root, 'test', 'support', 'node_polyfill.js');
  const program = `
    const tf = require('${NAME}');
    const sum = tf.add([1, 2], [3, 4]).arraySync().join();
    if (sum !== '4,6') throw new Error('[1, 2] + [3, 4] gave ' + sum);
    console.log(tf.backend().binding.TF_Version);`;
  const load = ['--require', polyfill, '--eval', program];
  return run(`load ${NAME}`, process.execPath, load).trim();
}

/** Uses the npm that runs this script, if there is one: Windows needs that. */
function npm(what, args, cwd) {
  const path = process.env.npm_execpath ?? '';
  if (!path.endsWith('npm-cli.js')) step(what, 'npm', args, cwd);
  else step(what, process.execPath, [path, ...args], cwd);
}

function step(what, program, args, cwd) {
  console.log(what);
  run(what, program, args, cwd);
}

/** Returns the program's output. Throws one line of it if the program fails. */
function run(what, program, args, cwd = root) {
  // npm would pass `npm run --silent` down, and so hide errors.
  const quiet = {TF_CPP_MIN_LOG_LEVEL: '2', npm_config_loglevel: 'error'};
  const env = {...process.env, ...quiet};
  const options = {cwd, env, encoding: 'utf8', maxBuffer: Infinity};
  const result = spawnSync(program, args, options);
  if (result.status === 0) return result.stdout;
  throw new Error(`${what}: ${whyItFailed(result)}`);
}

function whyItFailed({error, signal, status, stdout, stderr}) {
  if (error) return error.message;
  const lines = `${stderr}\n${stdout}`.split('\n');
  const line = lines.find((text) => /error:? \S|no such file/i.test(text));
  return (line ?? lines.findLast(Boolean) ?? signal ?? `exit ${status}`).trim();
}
