// Loads files with arbitrary changes: each gives a model or an error with a
// reason, never a hang, a leak or a changed prototype.
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as fc from 'fast-check';
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {watchVariables} from '../../../src/models/graph/build_model.js';
import {backend} from '../../support/backend.js';
import {
  artifactsIn,
  handlerOf,
  type KerasCase,
  predictionsOf,
  readCases,
} from './keras_models.js';
import {mutants} from './mutants.js';

const FIXTURES = join(__dirname, '../../fixtures');

/** Small models, in which most changes matter. */
const SEEDS = [
  'batch norm of rank 3, axis -1',
  'masking',
  'nested with equal names',
  'sequential',
  'sequential, by hand',
  'several inputs and outputs',
  'training=False around',
  'used twice',
  'written as: by hand',
  'written as: keras file',
];

const casesOf = (file: string): KerasCase[] =>
  readCases(file).filter(({name}) => SEEDS.includes(name));

const KEPT = ['keras3', 'keras2'].flatMap((library) =>
  casesOf(join(FIXTURES, `${library}_models.json`)),
);

/** The changes are to JSON, which is the same on every backend. */
const RUNS = backend === 'cpu' ? 400 : 50;

/** The number of mutants of a library for Keras to check. */
const SAMPLE = 120;

describe('a file with something changed in it', () => {
  it('loads, or is refused with a message, and leaks nothing', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(mutants(KEPT), async (mutant) => {
        const before = tf.memory().numTensors;
        const newVariables = watchVariables();
        const names = Object.getOwnPropertyNames(Object.prototype);
        const model = await loadedOrError(mutant);
        expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
        if (model instanceof Error) expect(model.message).not.toBe('');
        else accepted += 1;
        for (const variable of newVariables()) variable.dispose();
        expect(tf.memory().numTensors).toBe(before);
      }),
      {numRuns: RUNS},
    );
    // Otherwise only refusals would be tested.
    expect(accepted).toBeGreaterThan(RUNS / 20);
    expect(accepted).toBeLessThan(RUNS * 0.9);
  });
});

const FOLDER = process.env.KERAS_MODELS;

/** `npm run test:keras` has Keras check them. */
(FOLDER === undefined ? describe.skip : describe)('mutants for Keras', () => {
  it.each(['keras3', 'keras2'])('of %s, with predictions', async (library) => {
    const folder = FOLDER ?? '';
    const seeds = casesOf(join(folder, `${library}_by_hand.json`));
    const written: KerasCase[] = [];
    await fc.assert(
      fc.asyncProperty(mutants(seeds, 'modelTopology'), async (mutant) => {
        const model = await loadedOrError(mutant);
        if (model instanceof Error) return;
        const outputs = outputsOrNone(mutant, model);
        if (outputs && written.length < SAMPLE) {
          written.push({...mutant, outputs});
        }
        tf.disposeVariables();
      }),
      {numRuns: 2 * RUNS, seed: 20},
    );
    expect(written.length).toBe(SAMPLE);
    const file = join(folder, `${library}_mutants.json`);
    writeFileSync(file, JSON.stringify(written));
  });
});

/** Returns undefined if an input no longer fits. */
function outputsOrNone(
  mutant: KerasCase,
  model: tf.LayersModel,
): KerasCase['outputs'] | undefined {
  try {
    return tf.tidy(() =>
      predictionsOf(mutant, model).map((output) => ({
        shape: output.shape,
        values: Array.from(output.dataSync()),
      })),
    );
  } catch {
    return undefined;
  }
}

async function loadedOrError(
  mutant: KerasCase,
): Promise<tf.LayersModel | Error> {
  try {
    const artifacts = artifactsIn(mutant);
    return await tf.loadLayersModel(fromKeras(handlerOf(artifacts)));
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`no Error, but ${String(error)}`);
  }
}
