import * as tf from '@tensorflow/tfjs';
import {problemsOf} from '../../bench/agreement.js';
import {casesOf} from '../../bench/cases.js';
import type {LayerCase} from '../../bench/results.js';

const cases = casesOf([
  [5, 8],
  [2, 3, 4],
  [3, 4, 2, 5],
]);

const isImagesChannelsFirst = ({norm, shape, axis}: LayerCase): boolean =>
  norm === 'batch norm' && axis !== shape.length - 1;

describe('problemsOf', () => {
  it.each(cases)('finds none of its own, %j', (layerCase) => {
    const before = tf.memory().numTensors;
    const {fused, add} = problemsOf(layerCase, ['fused', 'add']);
    expect(fused).toBeUndefined();
    // Something else altogether.
    expect(add).toBeDefined();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(cases.filter((layerCase) => !isImagesChannelsFirst(layerCase)))(
    'finds stock right where it is, %j',
    (layerCase) => {
      expect(problemsOf(layerCase, ['stock'])).toEqual({stock: undefined});
    },
  );

  // https://github.com/tensorflow/tfjs/issues/1106 and 1774
  it.each(cases.filter(isImagesChannelsFirst))(
    'finds stock wrong or throwing where it is, %j',
    (layerCase) => {
      const {stock} = problemsOf(layerCase, ['stock']);
      expect(stock).toMatch(
        layerCase.mode === 'inference' ? /^wrong: off by / : /^throws: /,
      );
    },
  );
});
