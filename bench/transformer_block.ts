import * as tf from '@tensorflow/tfjs';
import type {MakeNorm, Prepared} from './programs.js';

const BATCH = 8;
const TOKENS = 128;
const WIDTH = 256;
const HEADS = 4;
const HEAD_WIDTH = WIDTH / HEADS;
const HIDDEN_WIDTH = 4 * WIDTH;
const LEARNING_RATE = 0.01;

/** What a block learns, its normalizations aside. */
type Weights = ReturnType<typeof createWeights>;

/** A map of activations [batch, tokens, width] to others. */
type Part = (x: tf.Tensor) => tf.Tensor;

/**
 * A training step of a transformer block that normalizes before attention and
 * before its two dense layers (Xiong et al., https://arxiv.org/abs/2002.04745).
 */
export function transformerBlock(makeNorm: MakeNorm): Prepared {
  const weights = createWeights();
  const norms = [createNorm(makeNorm), createNorm(makeNorm)] as const;
  const x = tf.randomNormal([BATCH, TOKENS, WIDTH]);
  const target = tf.randomNormal([BATCH, TOKENS, WIDTH]);
  const loss = (): tf.Scalar => {
    const attended = tf.add(x, attention(norms[0].normalize(x), weights));
    const y = tf.add(attended, dense(norms[1].normalize(attended), weights));
    return tf.mean(tf.squaredDifference(y, target));
  };
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const variables = [
    ...Object.values(weights),
    ...norms.flatMap((norm) => norm.variables),
  ];
  const run = async (): Promise<undefined> => {
    const value = optimizer.minimize(loss, true, variables);
    await value?.data();
    value?.dispose();
    return undefined;
  };
  return {run, tensors: [x, target]};
}

function createWeights(): Record<
  'queriesKeysValues' | 'merge' | 'widen' | 'narrow',
  tf.Variable
> {
  const create = (rows: number, columns: number): tf.Variable =>
    tf.tidy(() =>
      tf.variable(tf.randomNormal([rows, columns], 0, 1 / Math.sqrt(rows))),
    );
  return {
    queriesKeysValues: create(WIDTH, 3 * WIDTH),
    merge: create(WIDTH, WIDTH),
    widen: create(WIDTH, HIDDEN_WIDTH),
    narrow: create(HIDDEN_WIDTH, WIDTH),
  };
}

function createNorm(makeNorm: MakeNorm): {
  normalize: Part;
  variables: tf.Variable[];
} {
  const layer = makeNorm();
  if (layer === undefined) return {normalize: (x) => x, variables: []};
  layer.build([null, TOKENS, WIDTH]);
  return {
    normalize: (x) => layer.apply(x, {training: true}) as tf.Tensor,
    variables: layer.trainableWeights.map((w) => w.read() as tf.Variable),
  };
}

function attention(
  x: tf.Tensor,
  {queriesKeysValues, merge}: Weights,
): tf.Tensor {
  const [queries, keys, values] = tf
    .split(multiply(x, queriesKeysValues), 3, -1)
    .map(toHeads) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const scores = tf.matMul(queries, keys, false, true);
  const shares = tf.softmax(tf.div(scores, Math.sqrt(HEAD_WIDTH)));
  const heads = tf.transpose(tf.matMul(shares, values), [0, 2, 1, 3]);
  return multiply(tf.reshape(heads, [BATCH, TOKENS, WIDTH]), merge);
}

/** [batch, tokens, width] to [batch, heads, tokens, width of a head]. */
function toHeads(x: tf.Tensor): tf.Tensor {
  const heads = tf.reshape(x, [BATCH, TOKENS, HEADS, HEAD_WIDTH]);
  return tf.transpose(heads, [0, 2, 1, 3]);
}

function dense(x: tf.Tensor, {widen, narrow}: Weights): tf.Tensor {
  return multiply(tf.relu(multiply(x, widen)), narrow);
}

/** The last axis times a matrix. */
function multiply(x: tf.Tensor, matrix: tf.Tensor): tf.Tensor {
  const [rows = 1, columns = 1] = matrix.shape;
  const product = tf.matMul(tf.reshape(x, [-1, rows]), matrix);
  return tf.reshape(product, [BATCH, TOKENS, columns]);
}
