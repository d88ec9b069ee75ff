// Normalizes with the built package in a process, or a worker, of its own, and prints the ops
// that ran, the result and the warnings as JSON. Its argument is JSON: see `Situation` in
// processes.test.ts.
const Module = require('node:module');
const {join} = require('node:path');
const {isMainThread, parentPort, Worker} = require('node:worker_threads');
require('../support/node_polyfill.js');

const ROOT = join(__dirname, '..', '..');
const NATIVE = 'tfjs-normalization-native';

const situation = JSON.parse(process.argv[2] ?? '{}');

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

async function main() {
  if (!isMainThread) {
    parentPort.postMessage(await compute());
    return;
  }
  // In workers first, which end before this thread computes.
  const workers = await Promise.all(
    Array.from({length: situation.workers ?? 0}, inWorker),
  );
  const own = await compute();
  console.log(JSON.stringify({...own, workers}));
}

function inWorker() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, {argv: [process.argv[2]]});
    let answer;
    worker.once('message', (message) => (answer = message));
    worker.once('error', reject);
    worker.once('exit', () => resolve(answer));
  });
}

async function compute() {
  const warnings = [];
  console.warn = (text) => warnings.push(text);
  resolveElsewhere();
  const tf = require('@tensorflow/tfjs-node');
  if (situation.refused) refuseAddons();
  if (situation.others)
    for (const each of situation.others) require(each).install();
  const ops = [];
  const backend = tf.backend();
  const execute = backend.executeMultipleOutputs;
  backend.executeMultipleOutputs = function (name, ...rest) {
    const outputs = execute.call(this, name, ...rest);
    if (!ops.includes(name)) ops.push(name);
    return outputs;
  };
  const before = tf.memory().numTensors;
  const {layerNorm} = require(join(ROOT, 'dist', 'cjs', 'src', 'index.js'));
  tf.env().set('NORMALIZATION_FUSED', situation.fused ?? true);
  const layer = layerNorm({epsilon: 3});
  const x = tf.tensor2d([[1, 3]]);
  const f = (a) => layer.apply(a);
  const y = tf.tidy(() => Array.from(f(x).dataSync()));
  tf.dispose(tf.grad(f)(x));
  // So many values that several threads compute.
  const large = tf.ones([700, 500]);
  const another = layerNorm();
  tf.dispose(tf.grad((a) => another.apply(a))(large));
  tf.dispose([x, large]);
  another.dispose();
  layer.dispose();
  return {
    y,
    ops: ops.filter((name) => name.startsWith('TfjsNormalization')),
    warnings,
    leaked: tf.memory().numTensors - before,
  };
}

/** Lets the native package be found at another place, or at none. */
function resolveElsewhere() {
  const {at} = situation;
  if (at === undefined) return;
  const resolve = Module._resolveFilename;
  Module._resolveFilename = (name, ...rest) => {
    if (name !== NATIVE) return resolve(name, ...rest);
    if (at !== null) return resolve(at, ...rest);
    throw Object.assign(new Error('not found'), {code: 'MODULE_NOT_FOUND'});
  };
}

/** As `node --no-addons` and the permission model do; tfjs-node is one, and loaded already. */
function refuseAddons() {
  process.dlopen = () => {
    throw Object.assign(new Error('Cannot load native addon'), {
      code: 'ERR_DLOPEN_DISABLED',
    });
  };
}
