// Has Keras make new models, in an environment of its own, and tests that they
// predict the same here; then has Keras check the fuzz test's models, and load the
// `.keras` files that were written here. h5py makes files for the container, and reads
// those that it wrote. With an older version of Keras, exchanges only `.keras` files.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const HELP = `Usage: npm run test:keras [-- --keras VERSION]

Installs TensorFlow, Keras 3, tf-keras 2 and the converter from PyPI into a virtual
environment in node_modules/.cache (1.5 GB; kept until the next "npm ci"), makes
models with them in build/keras, and tests that they load and predict the same here.
That takes Python 3.11 or later and some minutes.

--keras VERSION  tests .keras files with another version of Keras 3, such as 3.3.3, in
                 its place in that environment: those that it saves are read here, and
                 those that are written here are loaded by it`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const fixtures = join(root, 'test', 'fixtures');
const environment = join(root, 'node_modules', '.cache', 'keras');
const python = join(environment, 'bin', 'python');
const ready = join(environment, 'ready');
const build = join(root, 'build');

const FILES = {
  makers: ['keras_files.py'],
  tests: ['keras_files_made_anew', 'to_keras_file'],
  judges: ['judge_files.py'],
};

const ALL = {
  makers: ['make_models.py', 'keras_container.py', ...FILES.makers],
  tests: [
    ...['keras_made_anew', 'from_keras_fuzz', 'read_hdf5', 'write_hdf5'],
    ...FILES.tests,
  ],
  judges: ['judge_mutants.py', 'judge_container.py', ...FILES.judges],
};

main();

function main() {
  try {
    const {values} = parseArgs({
      options: {help: {type: 'boolean'}, keras: {type: 'string'}},
    });
    if (values.help) {
      console.log(HELP);
      return;
    }
    const {keras: version} = values;
    if (version !== undefined && !/^3\.\d+\.\d+$/.test(version)) {
      throw new Error(
        `--keras takes a version of Keras 3, such as 3.3.3. Received: ${version}`,
      );
    }
    install();
    if (version === undefined) test(ALL, join(build, 'keras'));
    else {
      const folder = join(build, `keras-${version}`);
      test(FILES, folder, {PYTHONPATH: installed(version)});
    }
  } catch (error) {
    console.error(`test-keras: ${error.message}`);
    process.exitCode = 1;
  }
}

/** Has Keras make models in a folder, tests with them, and has Keras judge the rest. */
function test({makers, tests, judges}, models, env = {}) {
  fs.mkdirSync(models, {recursive: true});
  const keras = (script) => {
    run('python', python, [join(fixtures, script), models], env);
  };
  makers.forEach(keras);
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const which = ['--selectProjects', 'cpu', 'once'];
  which.push('--testPathPatterns', ...tests);
  // Predictions run in one thread: more would wait for each other.
  run('jest', process.execPath, [jest, ...which], {KERAS_MODELS: models});
  judges.forEach(keras);
}

/** Installs a version of Keras beside the environment, and returns its folder. */
function installed(version) {
  const folder = `${environment}-${version}`;
  if (!fs.existsSync(folder)) {
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target'];
    const unfinished = `${folder}.unfinished`;
    fs.rmSync(unfinished, {recursive: true, force: true});
    run('pip', python, [...pip, unfinished, `keras==${version}`]);
    fs.renameSync(unfinished, folder);
  }
  return folder;
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
