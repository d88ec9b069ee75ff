import * as tf from '@tensorflow/tfjs';
import type {NormFactory} from '../examples/digits/network.js';
import type {Prepared} from './whole_programs.js';

/** The size of a block and of its input. */
export interface BlockSize {
  readonly batch: number;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
}

const SIZE: BlockSize = {batch: 8, tokens: 128, width: 256, heads: 4};

/** The width between the dense layers, as a multiple of the block's width. */
const WIDENING = 4;

const LEARNING_RATE = 0.01;

/** The weights of a block, except those of its normalizations. */
type Weights = ReturnType<typeof createWeights>;

/** Maps activations [batch, tokens, width] to others. */
type Part = (x: tf.Tensor) => tf.Tensor;

/**
 * A training step of a transformer block that normalizes before attention and
 * before its two dense layers (Xiong et al., https://arxiv.org/abs/2002.04745).
 */
export function transformerBlock(
  makeNorm?: NormFactory,
  size: BlockSize = SIZE,
): Prepared {
  const {batch, tokens, width} = size;
  const weights = createWeights(width);
  const norms = [createNorm(makeNorm, size), createNorm(makeNorm, size)];
  const [first, second] = norms.map(({normalize}) => normalize) as [Part, Part];
  // A block usually has others below it, which need the gradient of its input.
  const x = tf.tidy(() => tf.variable(tf.randomNormal([batch, tokens, width])));
  const target = tf.randomNormal([batch, tokens, width]);
  const loss = (): tf.Scalar => {
    const attended = tf.add(x, attention(first(x), weights, size));
    const y = tf.add(attended, dense(second(attended), weights));
    return tf.mean(tf.squaredDifference(y, target));
  };
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const variables = [
    x,
    ...Object.values(weights),
    ...norms.flatMap((norm) => norm.variables),
  ];
  const run = async (): Promise<undefined> => {
    const value = optimizer.minimize(loss, true, variables);
    await value?.data();
    value?.dispose();
    return undefined;
  };
  return {run, held: [target, optimizer]};
}

function createWeights(
  width: number,
): Record<'queriesKeysValues' | 'merge' | 'widen' | 'narrow', tf.Variable> {
  const widened = WIDENING * width;
  const create = (rows: number, columns: number): tf.Variable =>
    tf.tidy(() =>
      tf.variable(tf.randomNormal([rows, columns], 0, 1 / Math.sqrt(rows))),
    );
  return {
    queriesKeysValues: create(width, 3 * width),
    merge: create(width, width),
    widen: create(width, widened),
    narrow: create(widened, width),
  };
}

function createNorm(
  makeNorm: NormFactory | undefined,
  {tokens, width}: BlockSize,
): {
  normalize: Part;
  variables: tf.Variable[];
} {
  if (makeNorm === undefined) return {normalize: (x) => x, variables: []};
  const layer = makeNorm({});
  layer.build([null, tokens, width]);
  const normalize: Part = (x) => layer.apply(x, {training: true}) as tf.Tensor;
  const weights = layer.trainableWeights.map((weight) => weight.read());
  const isVariable = (weight: tf.Tensor): weight is tf.Variable =>
    weight instanceof tf.Variable;
  return {normalize, variables: weights.filter(isVariable)};
}

function attention(
  x: tf.Tensor,
  {queriesKeysValues, merge}: Weights,
  size: BlockSize,
): tf.Tensor {
  const {batch, tokens, width, heads} = size;
  const [queries, keys, values] = tf
    .split(multiply(x, queriesKeysValues), 3, -1)
    .map((part) => toHeads(part, size)) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const scores = tf.matMul(queries, keys, false, true);
  const shares = tf.softmax(tf.div(scores, Math.sqrt(width / heads)));
  const mixed = tf.transpose(tf.matMul(shares, values), [0, 2, 1, 3]);
  return multiply(tf.reshape(mixed, [batch, tokens, width]), merge);
}

/**
 * Reshapes [batch, tokens, width] to [batch, heads, tokens, width of a head].
 */
function toHeads(
  x: tf.Tensor,
  {batch, tokens, width, heads}: BlockSize,
): tf.Tensor {
  const parts = tf.reshape(x, [batch, tokens, heads, width / heads]);
  return tf.transpose(parts, [0, 2, 1, 3]);
}

function dense(x: tf.Tensor, {widen, narrow}: Weights): tf.Tensor {
  return multiply(tf.relu(multiply(x, widen)), narrow);
}

/** Multiplies the last axis by a matrix. */
function multiply(x: tf.Tensor, matrix: tf.Tensor): tf.Tensor {
  const [rows = 1, columns = 1] = matrix.shape;
  const product = tf.matMul(tf.reshape(x, [-1, rows]), matrix);
  return tf.reshape(product, [...x.shape.slice(0, -1), columns]);
}
