import {spawnSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {fromKerasFile, toKerasFile} from 'tfjs-normalization/keras';
import {startBackend} from '../../tools/backend.js';
import {InputError, reasonOf} from '../../tools/errors.js';
import {type Data, readData} from '../digits/dataset.js';
import {CLASSES} from '../digits/images.js';
import {DIGITS, ROOT} from '../digits/options.js';
import {
  type Examples,
  evaluate,
  predictAll,
  toTensors,
} from '../digits/train.js';
import type {Options} from './options.js';

/** The most that predictions may differ, as float32 rounds in other orders. */
const TOLERANCE = 1e-5;

const SEED = 1;
const RATE = 0.1;
const TRAINING = {batchSize: 32, epochs: 1, shuffle: false, verbose: 0};

const SCRIPTS = {tensorflow: 'train_on.py', jax: 'train_on_jax.py'};

/** Takes a model from Node to Keras and back. Throws where predictions differ. */
export async function run({engine, python, out}: Options): Promise<void> {
  await startBackend();
  const data = readData(relative('', DIGITS), SEED);
  const {training, validation} = toTensors(data);
  const started = createNetwork();
  await train(started, training);
  console.log(`Node     starts a model: ${accuracy(started, validation)}`);
  const synchronized = engine === 'tensorflow';
  const file = await toKerasFile(started, {synchronized});
  writeFileSync(join(out, 'from_node.keras'), file);
  leaveData(out, data, predictAll(started, training.xs));

  const script = join(ROOT, 'examples', 'distributed', SCRIPTS[engine]);
  runPython(python, [script, out]);

  const bytes = readFileSync(join(out, 'from_python.keras'));
  const model = await fromKerasFile(bytes);
  compile(model);
  const expected = numbersIn(join(out, 'from_python.bin'));
  const gap = largestGap(predictAll(model, training.xs), expected);
  console.log(
    `Node     loads it: predictions differ by ${gap.toExponential(1)}`,
  );
  if (!(gap <= TOLERANCE)) {
    throw new Error(`predictions differ by more than ${TOLERANCE}`);
  }
  console.log(`         ${accuracy(model, validation)}`);
  await train(model, training);
  console.log(`Node     trains it on: ${accuracy(model, validation)}`);
}

/** Layers of this package and of tf.js, which Keras has all. */
function createNetwork(): tf.LayersModel {
  const dense = (units: number, inputShape?: number[]): tf.layers.Layer =>
    tf.layers.dense({
      units,
      inputShape,
      kernelInitializer: tf.initializers.heNormal({seed: SEED + units}),
    });
  return tf.sequential({
    layers: [
      dense(100, [64]),
      batchNorm({momentum: 0.9}),
      tf.layers.reLU(),
      dense(50),
      layerNorm(),
      tf.layers.reLU(),
      dense(CLASSES),
      tf.layers.softmax(),
    ],
  });
}

function compile(model: tf.LayersModel): void {
  model.compile({
    optimizer: tf.train.sgd(RATE),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
}

async function train(model: tf.LayersModel, {xs, ys}: Examples): Promise<void> {
  compile(model);
  await model.fit(xs, ys, TRAINING);
}

function accuracy(model: tf.LayersModel, validation: Examples): string {
  const [, share] = evaluate(model, validation);
  return `${(100 * share).toFixed(1)}% of the validation images`;
}

/** Writes what trip.py reads. */
function leaveData(
  out: string,
  {training}: Data,
  predictions: Float32Array,
): void {
  writeFileSync(join(out, 'images.bin'), training.pixels);
  writeFileSync(join(out, 'labels.bin'), Float32Array.from(training.labels));
  writeFileSync(join(out, 'from_node.bin'), predictions);
}

function runPython(python: string, args: readonly string[]): void {
  const {status, error} = spawnSync(python, args, {stdio: 'inherit'});
  if (error) throw new InputError(`--python ${python}: ${reasonOf(error)}`);
  if (status !== 0) throw new InputError(`${python} failed: ${args.join(' ')}`);
}

function numbersIn(file: string): Float32Array {
  const {buffer, byteOffset, length} = readFileSync(file);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + length));
}

/** Gives infinity for other numbers of values, and NaN where one is NaN. */
function largestGap(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Infinity;
  return found.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? NaN))),
    0,
  );
}
