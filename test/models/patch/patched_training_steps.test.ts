import * as tf from '@tensorflow/tfjs';
import {patchStockLayers} from 'tfjs-normalization';
import {readFixture, type TrainingRun} from '../../fixtures/fixtures.js';
import {
  expectTrained,
  optionsOf,
  titleOf,
  train,
  type Trained,
} from '../../fixtures/training_run.js';
import {expectClose} from '../../support/close.js';

// By Keras 3.15.1 in float64: test/fixtures/training_steps.py.
const {runs} = readFixture('training_steps');

/**
 * Stock tf.js works with both gamma and beta; without one of them it throws.
 */
const stockIsRight = runs.filter(
  ({options: {scale = true, center = true}}) => scale && center,
);

it.each(runs.map((run) => [titleOf(run), run] as const))(
  'twenty steps with the patched stock layer agree with Keras: %s',
  async (_, run) => {
    await expectTrained(await patched(() => trainStock(run)), run);
  },
);

it.each(stockIsRight.map((run) => [titleOf(run), run] as const))(
  'the patch changes no loss where stock is right: %s',
  async (_, run) => {
    const stock = await trainStock(run);
    const {losses} = await patched(() => trainStock(run));
    // Each of the two is within this of Keras; see training_run.ts.
    await expectClose(losses, stock.losses, {
      what: 'loss',
      roundings: run.optimizer === 'sgd' ? 16 : 64,
    });
  },
);

function trainStock(run: TrainingRun): Promise<Trained> {
  const {batchNormalization, layerNormalization} = tf.layers;
  const norm =
    run.layer === 'batchNorm'
      ? batchNormalization(optionsOf(run))
      : layerNormalization(optionsOf(run));
  return train(norm, run);
}

async function patched<T>(steps: () => Promise<T>): Promise<T> {
  const unpatch = patchStockLayers();
  try {
    return await steps();
  } finally {
    unpatch();
  }
}
