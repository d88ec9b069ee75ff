// How long a training step of a normalization takes, against stock tf.layers on
// the same backend: forward and backward in x, gamma and beta with a given dy,
// moving statistics included, waited on.
import * as tf from '@tensorflow/tfjs';
import '@tensorflow/tfjs-backend-wasm';
import Table from 'cli-table3';
import {Command} from 'commander';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {interleave, type Timing} from './timing.js';

// Stock layer normalization takes minutes for a step on images.
const LAYERS = {
  'batch norm': {
    shapes: [
      [128, 1024],
      [32, 28, 28, 64],
    ],
    stock: () => tf.layers.batchNormalization(),
    ours: () => batchNorm(),
  },
  'layer norm': {
    shapes: [
      [128, 1024],
      [16, 128, 768],
    ],
    stock: () => tf.layers.layerNormalization(),
    ours: () => layerNorm(),
  },
};

/** An optional peer: TypeScript must not look for it. */
const TFJS_NODE = ['@tensorflow', 'tfjs-node'].join('/');

interface Options {
  backend: string[];
  budget: number;
}

async function main(): Promise<void> {
  const {backend: backends, budget} = new Command('npm run bench --')
    .description('Times training steps against stock tf.layers, interleaved.')
    .option('--backend <names...>', 'cpu, wasm or tensorflow', ['wasm'])
    .option('--budget <seconds>', 'for each layer and shape', Number, 20)
    .parse()
    .opts<Options>();
  const table = new Table({
    head: ['backend', 'layer', 'input', 'stock ms', 'here ms', 'stock / here'],
    style: {head: [], border: []},
  });
  for (const backend of backends) {
    if (backend === 'tensorflow') await import(TFJS_NODE);
    if (!(await tf.setBackend(backend))) {
      throw new Error(`the backend ${backend} does not start`);
    }
    for (const [name, layer] of Object.entries(LAYERS)) {
      const {shapes, stock, ours} = layer;
      for (const shape of shapes) {
        const row = `${backend}, ${name} [${shape.join()}]`;
        process.stderr.write(`${row} …\n`);
        const [theirs, here] = (await interleave(
          [stepOf(stock(), shape), stepOf(ours(), shape)],
          {budget: budget * 1000, runs: 15},
        )) as [Timing, Timing];
        table.push([
          backend,
          name,
          `[${shape.join()}]`,
          theirs.median.toFixed(1),
          here.median.toFixed(1),
          (theirs.median / here.median).toFixed(1),
        ]);
      }
    }
  }
  console.log(table.toString());
}

/** A training step of a layer, waited on by its smallest gradient. */
function stepOf(layer: tf.layers.Layer, shape: number[]): () => Promise<void> {
  const x = tf.randomNormal(shape);
  const dy = tf.randomNormal(shape);
  layer.build(shape);
  const parameters = layer.trainableWeights.map((weight) => weight.read());
  const gradients = tf.grads(
    (input) => layer.apply(input, {training: true}) as tf.Tensor,
  );
  return async () => {
    const [dx, ...others] = gradients([x, ...parameters], dy);
    await others[0]?.data();
    tf.dispose([dx, ...others] as tf.Tensor[]);
  };
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
