import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {difference} from '../support/tensors.js';
import {
  artifactsIn,
  handlerOf,
  inputsOf,
  type KerasCase,
  readCases,
} from './keras_models.js';

const FIXTURES = join(__dirname, '../fixtures');

const LIBRARIES = [
  ['Keras 3', 'keras3_models.json'],
  ['tf-keras 2', 'keras2_models.json'],
].map(([library, file]) => ({
  library,
  cases: readCases(join(FIXTURES, file ?? '')),
}));

describe.each(LIBRARIES)('a model of $library', ({cases}) => {
  it.each(cases.map((each) => [each.name, each] as const))(
    '%s, predicts as there',
    async (_, given) => {
      await expectSamePredictions(given);
    },
  );
});

async function expectSamePredictions(given: KerasCase): Promise<void> {
  const {numTensors} = tf.memory();
  const handler = fromKeras(handlerOf(artifactsIn(given)));
  const model = await tf.loadLayersModel(handler);
  const weights = model.weights.length;
  expect(tf.memory().numTensors).toBe(numTensors + weights);
  const outputs = [model.predict(inputsOf(given, model))].flat();
  expect(outputs.length).toBe(given.outputs.length);
  outputs.forEach((output, i) => {
    const {values = [], shape} = given.outputs[i] ?? {};
    expect(output.shape).toEqual(shape);
    const scale = Math.max(1, ...values.map(Math.abs));
    expect(difference(output, values)).toBeLessThan(1e-5 * scale);
  });
}
