/**
 * One process of `npm run bench:neighbours`: times tf.js's own kernels on request, after
 * this package has been used or in a process that never loads it. Requests and answers
 * are lines of JSON.
 */
import {createInterface} from 'node:readline';
import * as tf from '@tensorflow/tfjs';
import {startBackend} from '../tools/backend.js';
import {BACKENDS} from '../tools/backend_names.js';
import {
  NEIGHBOURS,
  type Neighbour,
  type NeighbourRequest,
} from './neighbours_result.js';

const SIDE = 32;
const CHANNELS = 32;
const IMAGES = 4;
const MATRIX = 256;

/** In milliseconds, for each computation: V8 compiles it meanwhile. */
const WARM_UP = 500;

async function main([name, used]: readonly string[]): Promise<void> {
  await startBackend(BACKENDS.find((backend) => backend === name));
  if (used === 'used') await usePackage();
  const steps = createSteps();
  for (const neighbour of NEIGHBOURS) await fastest(steps[neighbour], WARM_UP);
  say({version: tf.version.tfjs});
  for await (const line of createInterface({input: process.stdin})) {
    const {neighbour, budget} = JSON.parse(line) as NeighbourRequest;
    say({milliseconds: await fastest(steps[neighbour], budget)});
  }
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/**
 * Trains both layers on inputs of several sizes, so that every kind of kernel
 * and buffer exists.
 */
async function usePackage(): Promise<void> {
  const {batchNorm, layerNorm} = await import('tfjs-normalization');
  for (const shape of [
    [32, 64],
    [4, 28, 28, 32],
    [2, 200_000],
  ]) {
    for (const layer of [batchNorm(), layerNorm()]) {
      const x = tf.randomNormal(shape);
      const f = (a: tf.Tensor): tf.Tensor =>
        layer.apply(a, {training: true}) as tf.Tensor;
      tf.dispose([tf.grad(f)(x, x), x]);
    }
  }
}

function createSteps(): Record<Neighbour, () => tf.Tensor> {
  const images = tf.randomNormal<tf.Rank.R4>([IMAGES, SIDE, SIDE, CHANNELS]);
  const filters = tf.randomNormal<tf.Rank.R4>([3, 3, CHANNELS, CHANNELS]);
  const [a, b] = [tf.randomNormal([MATRIX, MATRIX]), tf.eye(MATRIX)];
  const network = createNetwork();
  const pictures = tf.randomNormal([IMAGES, SIDE, SIDE, 3]);
  return {
    conv2d: () => tf.conv2d(images, filters, 1, 'same'),
    matMul: () => tf.matMul(a, b),
    ResNet: () => network.predict(pictures) as tf.Tensor,
  };
}

/**
 * Three residual blocks of two convolutions each, with only tf.js's own layers.
 */
function createNetwork(): tf.LayersModel {
  const convolution = (filters: number): tf.layers.Layer =>
    tf.layers.conv2d({filters, kernelSize: 3, padding: 'same'});
  const input = tf.input({shape: [SIDE, SIDE, 3]});
  let x = convolution(16).apply(input) as tf.SymbolicTensor;
  for (let block = 0; block < 3; block++) {
    const hidden = tf.layers.reLU().apply(convolution(16).apply(x));
    const change = convolution(16).apply(hidden) as tf.SymbolicTensor;
    x = tf.layers.add().apply([x, change]) as tf.SymbolicTensor;
  }
  const pooled = tf.layers.globalAveragePooling2d({}).apply(x);
  const outputs = tf.layers.dense({units: 10}).apply(pooled);
  return tf.model({inputs: input, outputs: outputs as tf.SymbolicTensor});
}

/**
 * The shortest run within a budget in milliseconds: other load on the machine only
 * ever lengthens a run.
 */
async function fastest(step: () => tf.Tensor, budget: number): Promise<number> {
  let shortest = Infinity;
  const begin = performance.now();
  do {
    const start = performance.now();
    const result = step();
    await result.data();
    shortest = Math.min(shortest, performance.now() - start);
    result.dispose();
  } while (performance.now() - begin < budget);
  return shortest;
}

void main(process.argv.slice(2));
