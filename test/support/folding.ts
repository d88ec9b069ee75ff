import * as tf from '@tensorflow/tfjs';
import {foldBatchNorm, type FoldReport} from 'tfjs-normalization';
import {layersOf} from '../../src/models/graph/live_model.js';
import {expectCloseNow} from './close.js';
import {allWeights} from './models.js';
import {randomTensor} from './tensors.js';

/** Gives every weight of a model a value other than its initial one. */
function scramble(model: tf.LayersModel): void {
  tf.tidy(() => {
    for (const [i, weight] of model.weights.entries()) {
      const noise = randomTensor([...weight.shape] as number[], i, 0.2, 0.3);
      const isVariance = weight.originalName.endsWith('moving_variance');
      weight.write(isVariance ? tf.add(tf.square(noise), 0.2) : noise);
    }
  });
}

export const layerNames = (model: tf.LayersModel): string[] =>
  layersOf(model).map(({layer}) => layer.name);

/** Folds, and checks that the prediction is the same. */
export function fold(
  model: tf.LayersModel,
  x: tf.Tensor | tf.Tensor[],
): {report: FoldReport; folded: tf.LayersModel} {
  scramble(model);
  const before = allWeights(model);
  let report: FoldReport = {folded: [], kept: []};
  const folded = foldBatchNorm(model, {onReport: (given) => (report = given)});
  const expected = [model.predict(x)].flat();
  const actual = [folded.predict(x)].flat();
  expected.forEach((y, i) => {
    // Sums of up to a dozen products, of other factors, in several layers.
    expectCloseNow(actual[i] as tf.Tensor, y, {what: 'y', roundings: 64});
  });
  expect(allWeights(model)).toEqual(before);
  return {report, folded};
}

export const CONV = {filters: 4, kernelSize: 2};
