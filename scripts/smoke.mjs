// Installs the packed package into empty projects, one of ES modules and one of
// CommonJS, and trains, saves and loads a model there.
import {execFileSync} from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const {devDependencies} = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const tfjs = `@tensorflow/tfjs@${devDependencies['@tensorflow/tfjs']}`;

const IMPORTS = `
import tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import 'tfjs-normalization/patch';
import {fileSystem} from 'tfjs-normalization/node';
`;

const REQUIRES = `
const tf = require('@tensorflow/tfjs');
const {batchNorm, layerNorm} = require('tfjs-normalization');
require('tfjs-normalization/patch');
const {fileSystem} = require('tfjs-normalization/node');
`;

const PROGRAM = `
async function main() {
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 4, inputShape: [3]}));
  model.add(batchNorm({movingAverage: 'debiased'}));
  model.add(layerNorm());
  model.add(tf.layers.batchNormalization({scale: false}));
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const x = tf.randomNormal([8, 3]);
  await model.fit(x, tf.ones([8, 4]), {epochs: 2, verbose: 0});
  await model.save(fileSystem('model'));
  const loaded = await tf.loadLayersModel('file://model/model.json');
  const gap = tf.max(tf.abs(tf.sub(model.predict(x), loaded.predict(x))));
  if (gap.dataSync()[0] !== 0) throw new Error('the loaded model differs');
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`;

const folder = mkdtempSync(join(tmpdir(), 'tfjs-normalization-smoke-'));
try {
  const tarball = pack();
  smoke('module', IMPORTS, tarball);
  smoke('commonjs', REQUIRES, tarball);
} finally {
  rmSync(folder, {recursive: true, force: true});
}

function pack() {
  const args = [
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    folder,
  ];
  const [{filename, size}] = Object.values(JSON.parse(run('npm', args, root)));
  console.log(`packed: ${filename}, ${(size / 1024).toFixed(0)} KB`);
  return join(folder, filename);
}

function smoke(type, imports, tarball) {
  const project = join(folder, type);
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), JSON.stringify({type}));
  writeFileSync(join(project, 'index.js'), imports + PROGRAM);
  run('npm', ['install', '--no-audit', '--no-fund', tarball, tfjs], project);
  run(process.execPath, ['index.js'], project);
  console.log(`works in an empty ${type} project`);
}

function run(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    // A warning about a user's npm settings is no business of this script.
    env: {...process.env, npm_config_loglevel: 'error'},
    shell: process.platform === 'win32',
  });
}
