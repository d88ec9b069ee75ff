import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {
  artifactsIn,
  expectSamePredictions,
  handlerOf,
  type KerasCase,
} from './keras_models.js';
import {maskedCases} from './masked_cases.js';

let warn: jest.SpyInstance<void, [string?, ...unknown[]]>;

beforeEach(() => {
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(() => {
  warn.mockRestore();
});

const load = (given: KerasCase): Promise<tf.LayersModel> =>
  tf.loadLayersModel(fromKeras(handlerOf(artifactsIn(given))));

const named = (library: 'keras2' | 'keras3', name: string): KerasCase => {
  const found = maskedCases(library).find(([title]) => title === name);
  if (!found) throw new Error(name);
  return found[1];
};

describe.each(['keras3', 'keras2'] as const)(
  'F1, F14, F18: masked models of %s predict the same or are refused:',
  (library) => {
    it.each(maskedCases(library))('%s', async (_, given, refused) => {
      if (refused === undefined) {
        await expectSamePredictions(given);
        return;
      }
      const message = await load(given).then(
        () => 'loaded',
        (error: unknown) => (error as Error).message,
      );
      expect(message.slice(0, refused.length)).toBe(refused);
      expect(message).toMatch(/; make the model without .* Received: mask="/);
    });
  },
);

it.each(['keras3', 'keras2'] as const)(
  'F14: a Bidirectional of %s that no mask reaches is loaded',
  async (library) => {
    const given = named(
      library,
      'Embedding, Conv1D, Bidirectional of sequences',
    );
    const model = await load(given);
    // Keras gives the mask to no layer; tf.js would give it to the last one.
    expect(model.getLayer('source').getConfig().maskZero).toBe(false);
    await expectSamePredictions(given);
  },
);

it.each(['keras3', 'keras2'] as const)(
  'F18: fromKeras warns that tf.js does not mask the loss of a model of %s',
  async (library) => {
    await load(named(library, 'Embedding, nothing, LSTM of sequences'));
    expect(warn.mock.calls.join()).toMatch(/masked positions out of the loss/);
    warn.mockClear();
    await load(named(library, 'Embedding, nothing, LSTM'));
    expect(warn.mock.calls.join()).not.toMatch(/masked positions/);
  },
);

it.each(['keras3', 'keras2'] as const)(
  'F1: there is no warning of a BatchNorm of %s that no mask reaches',
  async (library) => {
    await load(named(library, 'Embedding, nothing, BatchNormalization'));
    await load(named(library, 'graph: used and normalized'));
    expect(warn.mock.calls.join()).not.toMatch(/BatchNorm.* mask/);
  },
);
