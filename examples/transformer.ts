/**
 * Reverses sequences with a transformer block that has layer normalization
 * before each part.
 */
import * as tf from '@tensorflow/tfjs';
import {layerNorm} from 'tfjs-normalization';
import {Attention} from '../tools/attention.js';

const [TOKENS, SYMBOLS, WIDTH, STEPS] = [8, 10, 32, 40];

const dense = (
  units: number,
  activation: 'linear' | 'relu' | 'softmax' = 'linear',
) => tf.layers.dense({units, activation});
const chain = (x: tf.SymbolicTensor, ...layers: tf.layers.Layer[]) =>
  layers.reduce((y, layer) => layer.apply(y) as tf.SymbolicTensor, x);
const add = (...terms: tf.SymbolicTensor[]) =>
  tf.layers.add().apply(terms) as tf.SymbolicTensor;

function createModel(): tf.LayersModel {
  const inputs = tf.input({shape: [TOKENS, SYMBOLS + TOKENS]});
  const x = chain(inputs, dense(WIDTH));
  // Normalization inside the branches leaves the residual path unchanged.
  const a = add(x, chain(x, layerNorm(), dense(3 * WIDTH), new Attention({})));
  const b = add(
    a,
    chain(a, layerNorm(), dense(4 * WIDTH, 'relu'), dense(WIDTH)),
  );
  return tf.model({
    inputs,
    outputs: chain(b, layerNorm(), dense(SYMBOLS, 'softmax')),
  });
}

/** Random symbols, each with its position, and the same symbols reversed. */
function sample(count: number): tf.Tensor3D[] {
  return tf.tidy(() => {
    const symbols = tf.randomUniform([count, TOKENS], 0, SYMBOLS, 'int32');
    const places = tf.tile(tf.expandDims(tf.eye(TOKENS), 0), [count, 1, 1]);
    const x = tf.concat([tf.oneHot(symbols, SYMBOLS), places], 2);
    return [
      x,
      tf.oneHot(tf.reverse(symbols, 1), SYMBOLS, 1, 0, 'float32'),
    ] as tf.Tensor3D[];
  });
}

async function main(): Promise<void> {
  const model = createModel();
  const optimizer = tf.train.adam(3e-3);
  model.compile({
    optimizer,
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  for (let step = 1; step <= STEPS; step++) {
    const [x, y] = sample(64) as [tf.Tensor3D, tf.Tensor3D];
    const [, right] = (await model.trainOnBatch(x, y)) as number[];
    tf.dispose([x, y]);
    if (step % 10 === 0)
      console.log(`step ${step}: ${(100 * (right ?? 0)).toFixed(1)}% right`);
  }
}

void main();
