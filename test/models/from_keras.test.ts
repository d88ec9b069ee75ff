import {join} from 'node:path';
import {expectSamePredictions, readCases} from './keras_models.js';

const FIXTURES = join(__dirname, '../fixtures');

describe.each([
  ['Keras 3', 'keras3_models.json'],
  ['tf-keras 2', 'keras2_models.json'],
])('fromKeras loads what %s wrote, predicting the same:', (_, file) => {
  it.each(readCases(join(FIXTURES, file)).map((each) => [each.name, each]))(
    '%s',
    async (_name, given) => {
      await expectSamePredictions(given);
    },
  );
});
