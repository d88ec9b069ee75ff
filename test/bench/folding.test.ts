import * as tf from '@tensorflow/tfjs';
import {batchNorm, foldBatchNorm} from 'tfjs-normalization';
import {measureFolding} from '../../bench/folding.js';
import {FOLDINGS, isTiming} from '../../bench/results.js';
import {FOLDED} from '../../bench/whole_programs.js';

describe('measureFolding', () => {
  it.each(FOLDED)(
    '$model: measures all three, and leaves nothing',
    async (described) => {
      const before = tf.memory().numTensors;
      const schedule = {budget: 1, runs: 1, warmUp: 1};
      const row = await measureFolding('cpu', described, {schedule});
      expect(row).toMatchObject({backend: 'cpu', model: described.model});
      expect(FOLDINGS.filter((name) => isTiming(row.cells[name]))).toEqual([
        'stock',
        'before',
        'after',
      ]);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it.each(FOLDED)('$model: every normalization folds', ({create}) => {
    const model = create(() => batchNorm());
    const norms = model.layers.filter((l) => l.getClassName() === 'BatchNorm');
    let folded = 0;
    foldBatchNorm(model, {
      onReport: (report) => (folded = report.folded.length),
    });
    expect(norms.length).toBeGreaterThan(1);
    expect(folded).toBe(norms.length);
    tf.disposeVariables();
  });
});
