import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {valuesOf, weightsOf} from '../../support/tensors.js';

import {
  artifactsIn,
  expectSamePredictions,
  expectTrains,
  type KerasCase,
  loadCase,
  readCases,
} from './keras_models.js';

const FIXTURES = join(__dirname, '../../fixtures');

const titled = (file: string): Array<[string, KerasCase]> =>
  readCases(join(FIXTURES, file)).map((each) => [each.name, each]);

describe.each([
  ['Keras 3', 'keras3_models.json'],
  ['tf-keras 2', 'keras2_models.json'],
  ['Keras 3, renorm', 'keras3_renorm.json'],
  ['tf-keras 2, renorm', 'keras2_renorm.json'],
])('fromKeras loads files of %s', (_, file) => {
  it.each(titled(file))('predicting the same: %s', async (_name, given) => {
    await expectSamePredictions(given);
  });

  it.each(titled(file))('F15: to be trained: %s', async (_name, given) => {
    await expectTrains(given, await loadCase(given));
  });
});

it.each([['keras3_renorm.json'], ['keras2_renorm.json']])(
  'the statistics of renorm are those of the file: %s',
  async (file) => {
    for (const given of readCases(join(FIXTURES, file))) {
      const {weightData, weightSpecs = []} = artifactsIn(given);
      const stored = tf.io.decodeWeights(
        weightData as ArrayBuffer,
        weightSpecs,
      );
      const inFile = Object.entries(stored).filter(([name]) =>
        /norm\d.*\/(moving_stddev|renorm_\w+)(:0)?$/.test(name),
      );
      expect(inFile).toHaveLength(12);
      const model = await loadCase(given);
      for (const [name, tensor] of inFile) {
        const parts = name.replace(':0', '').split('/');
        const layer = parts.find((part) => /^norm\d$/.test(part)) ?? '';
        const loaded = weightsOf(model.getLayer(layer));
        expect([name, loaded[parts.pop() ?? '']]).toEqual([
          name,
          valuesOf(tensor),
        ]);
      }
    }
  },
);

describe.each([
  ['Keras 3', 'keras3_graphs.json'],
  ['tf-keras 2', 'keras2_graphs.json'],
])('F13: calls are counted as %s counts them:', (_, file) => {
  it.each(titled(file))('%s', async (_name, given) => {
    await expectSamePredictions(given);
    await expectTrains(given, await loadCase(given));
  });
});
