// Models refused because of masks are refused for a reason: without the check,
// tf.js predicts something else, or fails.
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {
  artifactsIn,
  handlerOf,
  predictionsOf,
  worstOf,
} from './keras_models.js';
import {maskedCases} from './masked_cases.js';

jest.mock('../../../src/models/keras/translate/check_masks.js', () => ({
  checkMasks: () => undefined,
}));

describe.each(['keras3', 'keras2'] as const)(
  'F18: tf.js does not compute the same as %s, the reason for refusing:',
  (library) => {
    const refused = maskedCases(library).filter(([, , message]) => message);

    it.each(refused)('%s', async (_, given) => {
      const worst = await tf
        .loadLayersModel(fromKeras(handlerOf(artifactsIn(given))))
        .then((model) => predictionsOf(given, model))
        .then((outputs) =>
          outputs.map((output, i) =>
            worstOf(output.dataSync(), given.outputs[i]?.values ?? []),
          ),
        )
        .catch(() => [Infinity]);
      expect(Math.max(...worst)).toBeGreaterThan(1e-3);
    });
  },
);
