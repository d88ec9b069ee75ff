// Tests the native kernels on an older TensorFlow: tfjs-node's own binding, unchanged, finds
// that library in the place of the one that it was built with.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {run} from './consumers/command.mjs';

/** Releases of an artifact of Maven Central with TensorFlow's C library, by its version. */
const ARTIFACT = 'org.tensorflow:tensorflow-core-api';
const RELEASES = {
  '2.4.1': {
    release: '0.3.3',
    sha256: '8be70d7fa6404b04a342923c498dafef6d751a0cfb935b46d2fb9874e5d32c7f',
    // A function that the ops need, and which came later.
    lacks: 'TF_OpKernelConstruction_GetAttrInt64List',
  },
  // The one that tfjs-node downloads for arm64.
  '2.7.0': {
    release: '0.4.0',
    sha256: '6549f0c5e9a788843c8bf65defe564ae561b31535caaf3344a3f0e78063f2311',
  },
  '2.10.1': {
    release: '0.5.0',
    sha256: 'f394c5be26c8f3b644cdc77e6741b2cfe774caa8aedeb969c50e074444feac55',
  },
};
const MACHINE = 'linux-x86_64';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

export const VERSIONS = Object.keys(RELEASES);

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const polyfill = join(root, 'test', 'support', 'node_polyfill.js');

/**
 * Runs the tests of the native kernels on a TensorFlow of this version; or tests that one which
 * lacks a function refuses them, and that others compute.
 *
 * @param cache The folder that keeps the library.
 * @throws Error if the library cannot be had or does not load, or if a test fails.
 */
export async function testOn(version, cache) {
  const env = {
    // The loader looks here before it looks where the binding says.
    LD_LIBRARY_PATH: await libraryOf(version, cache),
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
  const program =
    "console.log(require('@tensorflow/tfjs-node').backend().binding.TF_Version)";
  const load = ['--require', polyfill, '--eval', program];
  const loaded = (await run(process.execPath, load, {cwd: root, env})).trim();
  if (loaded !== version)
    throw new Error(`tfjs-node loads TensorFlow ${loaded}`);
  runHere(['scripts/start.mjs', '--build-only'], {});
  const {lacks} = RELEASES[version];
  const outcome = lacks
    ? await refusal(lacks, env)
    : `${passedTests(env, cache)} tests passed`;
  console.log(`native kernels on TensorFlow ${version}: ${outcome}`);
}

/** Runs those of the native kernels' tests that `npm test` runs, and returns their number. */
function passedTests(env, cache) {
  const results = join(cache, `results-${process.pid}.json`);
  const which = ['--config=jest.short.config.js', '--selectProjects=native'];
  runHere(['node_modules/jest/bin/jest.js', ...which], {
    ...env,
    REQUIRE_BACKENDS: 'tensorflow',
    REQUIRE_NATIVE: '1',
    TEST_RESULTS: results,
  });
  const {numPassedTests} = JSON.parse(fs.readFileSync(results, 'utf8'));
  fs.rmSync(results);
  return numPassedTests;
}

/** Normalizes with a layer, in a process that asks for the native kernels. */
async function refusal(lacks, env) {
  const printed = await run(process.execPath, ['test/native/program.cjs'], {
    cwd: root,
    env: {...env, TFJS_NORMALIZATION_NATIVE: '1'},
  });
  const {y, ops, warnings} = JSON.parse(printed.trim().split('\n').pop());
  // One value is off its mean of 2 by 1, and 1 / sqrt(1 + 3) is exact.
  const isRight = y.join() === '-0.5,0.5' && ops.length === 0;
  if (!isRight || warnings.length !== 1 || !warnings[0].includes(lacks)) {
    throw new Error(`a refusal for want of ${lacks} was expected: ${printed}`);
  }
  return `refused for want of ${lacks}, others compute`;
}

/** Runs a program of this project, which prints what it has to say. */
function runHere([program, ...args], env) {
  const {status} = spawnSync(process.execPath, [join(root, program), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {...process.env, ...env},
  });
  if (status !== 0) throw new Error(`${program} has failed`);
}

/** Returns the folder with the library, and gets it if it is not there. */
async function libraryOf(version, cache) {
  if (`${process.platform}-${process.arch}` !== 'linux-x64') {
    throw new Error('an older TensorFlow is tested on Linux on x64 alone');
  }
  if (!(version in RELEASES)) {
    throw new Error(
      `TensorFlow is one of ${VERSIONS.join(', ')}, not ${version}`,
    );
  }
  const folder = join(cache, `tensorflow-${version}`);
  if (!fs.existsSync(folder)) await getLibrary(version, folder);
  return folder;
}

async function getLibrary(version, folder) {
  const own = `${folder}-${process.pid}`;
  fs.mkdirSync(own, {recursive: true});
  try {
    const jar = await getJar(version, own);
    const all = join(own, 'all');
    await run('python3', ['-m', 'zipfile', '-e', jar, all], {cwd: own});
    const library = join(all, 'org/tensorflow/internal/c_api', MACHINE);
    // A binding that tfjs-node's own install script has brought needs it under this name.
    const name = join(library, 'libtensorflow.so.2');
    fs.symlinkSync('libtensorflow_cc.so.2', name);
    fs.renameSync(library, folder);
  } finally {
    fs.rmSync(own, {recursive: true});
  }
}

async function getJar(version, to) {
  const {release, sha256} = RELEASES[version];
  const artifact = `${ARTIFACT}:${release}:jar:${MACHINE}`;
  console.log(`get TensorFlow ${version} from Maven Central: ${artifact}`);
  const what = [`-Dartifact=${artifact}`, `-DoutputDirectory=${to}`];
  await run('mvn', ['-q', '-B', COPY, ...what], {cwd: to});
  const jar = join(to, `tensorflow-core-api-${release}-${MACHINE}.jar`);
  const sum = createHash('sha256').update(fs.readFileSync(jar)).digest('hex');
  if (sum !== sha256) throw new Error(`${artifact} has the SHA-256 sum ${sum}`);
  return jar;
}
