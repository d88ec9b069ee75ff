import fc from 'fast-check';
import {parametersCount, viewSize} from '../../src/kernels/contract.js';
import {
  examplesLayout,
  featuresLayout,
  inversePermutation,
  type Layout,
} from '../../src/ops/layout.js';

/** Stands behind the lengths of a view whose parameters are indexed by outer. */
const PER_OUTER = -1;

/** As in docs/design.md: batch, outer, group, channel, inner. */
const viewOf = ({view, permutation}: Layout): unknown => [
  [view.batch, view.outer, view.group, view.channel, view.inner].concat(
    view.perOuter ? PER_OUTER : [],
  ),
  permutation,
];

describe('featuresLayout', () => {
  it.each([
    ['channels last', [2, 5, 7, 3], [3], [1, 70, 3, 1, 1], undefined],
    ['channels first', [2, 3, 5, 7], [1], [1, 2, 3, 1, 35], undefined],
    ['the first axis', [3, 5, 7], [0], [1, 1, 3, 1, 35], undefined],
    ['neighbours', [2, 3, 5, 7], [1, 2], [1, 2, 15, 1, 7], undefined],
    ['every axis', [2, 3], [0, 1], [1, 1, 6, 1, 1], undefined],
    [
      'a row of ones between them',
      [2, 3, 1, 7],
      [1, 3],
      [1, 2, 21, 1, 1],
      undefined,
    ],
    ['axes apart', [2, 3, 5, 7], [1, 3], [1, 10, 21, 1, 1], [0, 2, 1, 3]],
    ['a feature axis of one', [4, 1], [1], [1, 4, 1, 1, 1], undefined],
  ])('%s', (_, shape, axes, view, permutation) => {
    expect(viewOf(featuresLayout(shape, axes))).toEqual([view, permutation]);
  });
});

describe('examplesLayout', () => {
  it.each([
    ['the last axis', [2, 5, 3], [2], true, [10, 1, 1, 3, 1], undefined],
    [
      'all but the batch',
      [2, 5, 7, 3],
      [1, 2, 3],
      true,
      [2, 1, 1, 105, 1],
      undefined,
    ],
    [
      'the middle, without parameters',
      [2, 3, 5, 7],
      [1],
      false,
      [2, 3, 35, 1, 1],
      undefined,
    ],
    [
      'the middle, with parameters',
      [2, 3, 5, 7],
      [1],
      true,
      [2, 3, 35, 1, 1, PER_OUTER],
      undefined,
    ],
    ['the first axis', [3, 5], [0], false, [1, 3, 5, 1, 1], undefined],
    [
      'axes apart',
      [2, 3, 5, 7],
      [1, 3],
      false,
      [10, 1, 1, 21, 1],
      [0, 2, 1, 3],
    ],
    ['before a row of ones', [2, 3, 1], [1], true, [2, 1, 1, 3, 1], undefined],
  ])('%s', (_, shape, axes, parameters, view, permutation) => {
    const layout = examplesLayout(shape, axes, parameters);
    expect(viewOf(layout)).toEqual([view, permutation]);
  });
});

describe('any layout', () => {
  it('has the tensor’s size, and as many parameters as its axes', () => {
    const cases = fc
      .array(fc.integer({min: 0, max: 5}), {minLength: 1, maxLength: 6})
      .chain((shape) =>
        fc.tuple(
          fc.constant(shape),
          fc.subarray([...shape.keys()], {minLength: 1}),
          fc.boolean(),
        ),
      );
    fc.assert(
      fc.property(cases, ([shape, axes, parameters]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const chosen = axes.reduce((a, axis) => a * (shape[axis] ?? 1), 1);
        const features = featuresLayout(shape, axes);
        const examples = examplesLayout(shape, axes, parameters);
        expect(viewSize(features.view)).toBe(size);
        expect(viewSize(examples.view)).toBe(size);
        expect(features.view.group).toBe(chosen);
        if (parameters) expect(parametersCount(examples.view)).toBe(chosen);
      }),
    );
  });
});

describe('inversePermutation', () => {
  it('undoes one', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5], {minLength: 6}),
        (permutation) => {
          const inverse = inversePermutation(permutation);
          expect(inverse.map((i) => permutation[i])).toEqual([
            0, 1, 2, 3, 4, 5,
          ]);
        },
      ),
    );
  });
});
