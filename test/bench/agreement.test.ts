import * as tf from '@tensorflow/tfjs';
import {problemsOf} from '../../bench/agreement.js';
import {casesOf} from '../../bench/cases.js';
import {isStockNorm, type LayerCase} from '../../bench/results.js';

// No statistic is of two or three values: the closer they lie, the more their
// gradients cancel.
const cases = casesOf([
  [5, 256],
  [2, 12, 4],
  [3, 4, 2, 5],
]);

const isImagesChannelsFirst = ({norm, shape, axis}: LayerCase): boolean =>
  norm === 'batch norm' && axis !== shape.length - 1;

describe('problemsOf', () => {
  it.each(cases)('finds none in this package, %j', (layerCase) => {
    const before = tf.memory().numTensors;
    const {fused, add} = problemsOf(layerCase, ['fused', 'add']);
    expect(fused).toBeUndefined();
    // A different computation altogether.
    expect(add).toBeDefined();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each(
    cases.filter(
      (layerCase) =>
        isStockNorm(layerCase.norm) && !isImagesChannelsFirst(layerCase),
    ),
  )('finds no problem where stock is right, %j', (layerCase) => {
    expect(problemsOf(layerCase, ['stock'])).toEqual({stock: undefined});
  });

  // https://github.com/tensorflow/tfjs/issues/1106 and 1774
  it.each(cases.filter(isImagesChannelsFirst))(
    'finds the problem where stock is wrong or throws, %j',
    (layerCase) => {
      const {stock} = problemsOf(layerCase, ['stock']);
      expect(stock).toMatch(
        layerCase.mode === 'inference' ? /^wrong: off by / : /^throws: /,
      );
    },
  );
});
