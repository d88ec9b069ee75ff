// Inputs so large that a backend computes in another way: in parts, or with
// other ops.
import type {View} from '../../src/kernels/contract.js';
import {backend, isNative} from '../support/backend.js';
import {expectApplied, expectGradients, expectNormalized} from './agreement.js';
import {type Case, leavingNothing} from './views.js';

const columns = (outer: number, group: number): View => {
  return {batch: 1, outer, group, channel: 1, inner: 1};
};

const WHOLE: Omit<Case, 'view'> = {
  subtractMean: true,
  scale: true,
  center: true,
  differentiableStatistics: true,
  epsilon: 1e-3,
  mean: 3,
  seed: 7,
};
const PLAIN = {
  ...WHOLE,
  scale: false,
  center: false,
  differentiableStatistics: false,
};

const CASES: ReadonlyArray<[string, Case]> = [
  ['columns', {...WHOLE, view: columns(4100, 33)}],
  ['columns without parameters', {...PLAIN, view: columns(4100, 33)}],
  ['very long columns', {...WHOLE, view: columns(50_000, 12)}],
  ['very long columns, plain', {...PLAIN, view: columns(50_000, 12)}],
  [
    'very long columns of a prime length',
    {...WHOLE, view: columns(131_101, 1)},
  ],
  [
    'columns, not centered',
    {...WHOLE, subtractMean: false, view: columns(4100, 33)},
  ],
  [
    'long rows',
    {
      ...WHOLE,
      differentiableStatistics: false,
      view: {batch: 2049, outer: 1, group: 1, channel: 257, inner: 1},
    },
  ],
  [
    'many rows',
    {...WHOLE, view: {batch: 40_001, outer: 1, group: 1, channel: 4, inner: 1}},
  ],
  [
    'groups',
    {...WHOLE, view: {batch: 8, outer: 64, group: 8, channel: 33, inner: 1}},
  ],
  // As many groups as values along the last axis.
  [
    'channels first',
    {...WHOLE, view: {batch: 1, outer: 20, group: 81, channel: 1, inner: 81}},
  ],
];

/**
 * TensorFlow's batch normalization adds up to 32,768 values in sequence. The
 * roundings of a running sum have random signs: of n, about √n remain.
 */
function moreRoundings({outer}: View): number {
  const sums = backend === 'tensorflow' && !isNative && outer <= 32_768;
  return sums ? Math.sqrt(outer) : 0;
}

describe.each(CASES)('%s', (_, options) => {
  const more = moreRoundings(options.view);

  it('Normalize agrees with the oracle', () =>
    leavingNothing(() => expectNormalized(options, more)));

  it('ApplyStatistics agrees with the oracle', () =>
    leavingNothing(() => expectApplied(options)));

  it.each([
    [', with what Normalize kept', {given: false, recorded: true}],
    [', with statistics given', {given: true, recorded: false}],
  ])('NormalizeGrad agrees with the oracle%s', (_, how) =>
    leavingNothing(() => expectGradients(options, how, more)),
  );
});
