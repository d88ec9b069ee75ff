// Has Keras make new models, in an environment of its own, and tests that they
// predict the same here; then has Keras check the fuzz test's models, and load the
// `.keras` files that were written here. h5py makes files for the container, and reads
// those that it wrote.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const HELP = `Usage: npm run test:keras

Installs TensorFlow, Keras 3, tf-keras 2 and the converter from PyPI into a virtual
environment in node_modules/.cache (1.5 GB; kept until the next "npm ci"), makes
models with them in build/keras, and tests that they load and predict the same here.
That takes Python 3.11 or later and some minutes.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const fixtures = join(root, 'test', 'fixtures');
const environment = join(root, 'node_modules', '.cache', 'keras');
const python = join(environment, 'bin', 'python');
const ready = join(environment, 'ready');
const models = join(root, 'build', 'keras');

const TESTS = [
  ...['keras_made_anew', 'from_keras_fuzz', 'to_keras_file'],
  ...['read_hdf5', 'write_hdf5'],
];

const JUDGES = ['judge_mutants.py', 'judge_files.py', 'judge_container.py'];

main(process.argv.slice(2));

function main(options) {
  if (options.includes('--help')) {
    console.log(HELP);
    return;
  }
  try {
    install();
    fs.mkdirSync(models, {recursive: true});
    run('python', python, [join(fixtures, 'make_models.py'), models]);
    run('python', python, [join(fixtures, 'keras_container.py'), models]);
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    const which = ['--selectProjects', 'cpu', 'once'];
    which.push('--testPathPatterns', ...TESTS);
    // Predictions run in one thread: more would wait for each other.
    run('jest', process.execPath, [jest, ...which], {KERAS_MODELS: models});
    for (const judge of JUDGES) {
      run('python', python, [join(fixtures, judge), models]);
    }
  } catch (error) {
    console.error(`test-keras: ${error.message}`);
    process.exitCode = 1;
  }
}

function install() {
  const wanted = ['models_requirements.txt', 'models_no_deps.txt'].map((name) =>
    join(fixtures, name),
  );
  const text = wanted.map((file) => fs.readFileSync(file, 'utf8')).join('');
  if (fs.existsSync(ready) && fs.readFileSync(ready, 'utf8') === text) return;
  fs.rmSync(environment, {recursive: true, force: true});
  run('python', 'python3', ['-m', 'venv', environment]);
  const pip = ['-m', 'pip', 'install', '--quiet'];
  run('pip', python, [...pip, '--requirement', wanted[0]]);
  run('pip', python, [...pip, '--no-deps', '--requirement', wanted[1]]);
  // Written last: an interrupted installation starts again.
  fs.writeFileSync(ready, text);
}

function run(what, program, args, env = {}) {
  const {status, error} = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: {...process.env, ...env},
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${what} failed: ${args.join(' ')}`);
}
