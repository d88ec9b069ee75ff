import * as tf from '@tensorflow/tfjs';
import {batchNorm, foldBatchNorm} from 'tfjs-normalization';
import type {BackendName} from '../examples/digits/options.js';
import {disposeVariablesExcept} from './stock_steps.js';
import {BATCH, createMlp, PIXELS} from './mlp.js';
import type {Plan} from './plan.js';
import {FOLDINGS, type Folding, type FoldingRow} from './results.js';
import {interleave, type Program} from './timing.js';

/** A network whose batch normalizations fold, and its input. */
interface Described {
  readonly model: string;
  readonly input: readonly number[];
  readonly create: (norm: () => tf.layers.Layer) => tf.Sequential;
}

const FILTERS = [16, 32, 64, 64];
const CLASSES = 10;

/** The networks to measure before and after folding. */
export const FOLDED: readonly Described[] = [
  {
    model: 'four convolutions, 8 images of 32 × 32',
    input: [8, 32, 32, 3],
    create: convolutions,
  },
  {
    model: `MLP, a batch of ${BATCH}`,
    input: [BATCH, PIXELS],
    create: createMlp,
  },
];

/**
 * Measures predictions with batch normalization and with it folded,
 * in turn.
 */
export async function measureFolding(
  backend: BackendName,
  {model, input, create}: Described,
  {schedule}: Pick<Plan, 'schedule'>,
): Promise<FoldingRow> {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const ours = create(() => batchNorm());
  const models: Record<Folding, tf.LayersModel> = {
    stock: create(() => tf.layers.batchNormalization()),
    before: ours,
    after: foldBatchNorm(ours),
  };
  const x = tf.randomNormal([...input]);
  const programs = FOLDINGS.map((name) => [name, predicting(models[name], x)]);
  const cells = await interleave(
    Object.fromEntries(programs) as Record<Folding, Program>,
    schedule,
  );
  x.dispose();
  disposeVariablesExcept(before);
  return {backend, model, cells: cells as FoldingRow['cells']};
}

function predicting(model: tf.LayersModel, x: tf.Tensor): Program {
  return async () => {
    const y = model.predict(x) as tf.Tensor;
    await y.data();
    y.dispose();
    return undefined;
  };
}

function convolutions(norm: () => tf.layers.Layer): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.inputLayer({inputShape: [32, 32, 3]}));
  for (const filters of FILTERS) {
    model.add(
      tf.layers.conv2d({filters, kernelSize: 3, strides: 2, useBias: false}),
    );
    model.add(norm());
    model.add(tf.layers.reLU());
  }
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({units: CLASSES, activation: 'softmax'}));
  return model;
}
