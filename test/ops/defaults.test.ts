// The functions without options, which docs give defaults.
import * as tf from '@tensorflow/tfjs';
import {ops} from 'tfjs-normalization';
import {difference, randomTensor} from '../support/tensors.js';

it.each<[string, (x: tf.Tensor, options?: object) => tf.Tensor, object]>([
  [
    'batchNorm',
    (x, options) => ops.batchNorm(x, options).y,
    {axis: -1, epsilon: 1e-3},
  ],
  ['layerNorm', ops.layerNorm, {axis: -1, epsilon: 1e-3}],
  ['groupNorm', ops.groupNorm, {groups: 32, axis: -1, epsilon: 1e-3}],
  ['instanceNorm', ops.instanceNorm, {axis: -1, epsilon: 1e-3}],
  ['rmsNorm', ops.rmsNorm, {axis: -1, epsilon: 1e-6}],
])('ops.%s has the defaults that its docs name', (_, norm, defaults) => {
  // Values so small that epsilon counts.
  const x = randomTensor([2, 3, 64], 1, 0, 0.01);
  const others = {...defaults, epsilon: 0.1};
  expect(difference(norm(x), norm(x, defaults))).toBe(0);
  expect(difference(norm(x), norm(x, others))).toBeGreaterThan(0.1);
});
