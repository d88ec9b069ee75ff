import {join} from 'node:path';

import {
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

describe.each([
  ['Keras 3', 'keras3_graphs.json'],
  ['tf-keras 2', 'keras2_graphs.json'],
])('F13: calls are counted as %s counts them:', (_, file) => {
  it.each(titled(file))('%s', async (_name, given) => {
    await expectSamePredictions(given);
    await expectTrains(given, await loadCase(given));
  });
});
