import {batchNorm, layerNorm} from 'tfjs-normalization';
import {readFixture} from '../fixtures/fixtures.js';
import {
  expectTrained,
  optionsOf,
  titleOf,
  train,
} from '../fixtures/training_run.js';

// Losses, weights and predictions by Keras 3.15.1 in float64, in a loop with
// GradientTape: test/fixtures/training_steps.py.
const {runs} = readFixture('training_steps');

it.each(runs.map((run) => [titleOf(run), run] as const))(
  'twenty steps agree with Keras: %s',
  async (_, run) => {
    const make = run.layer === 'batchNorm' ? batchNorm : layerNorm;
    await expectTrained(await train(make(optionsOf(run)), run), run);
  },
);
