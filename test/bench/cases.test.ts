import {
  casesOf,
  featuresOf,
  groupsOf,
  nameOf,
  rowsOf,
  shrunk,
  withRows,
} from '../../bench/cases.js';
import type {LayerCase} from '../../bench/results.js';

const images = (shape: number[], axis: number): LayerCase => ({
  norm: 'batch norm',
  shape,
  axis,
  mode: 'inference',
});

describe('casesOf', () => {
  it('normalizes images also with their channels first', () => {
    const names = casesOf([
      [6, 5],
      [4, 3, 2, 7],
    ]).map((layerCase) => `${nameOf(layerCase)}, ${layerCase.mode}`);
    expect(names.filter((name) => name.startsWith('layer'))).toEqual([
      'layer norm [6,5], inference',
      'layer norm [6,5], forward and backward',
      'layer norm [4,3,2,7], inference',
      'layer norm [4,3,2,7], forward and backward',
      'layer norm [4,7,3,2], axis 1, inference',
      'layer norm [4,7,3,2], axis 1, forward and backward',
    ]);
    expect(names.filter((name) => name.startsWith('instance'))).toEqual([
      'instance norm [4,3,2,7], inference',
      'instance norm [4,3,2,7], forward and backward',
      'instance norm [4,7,3,2], axis 1, inference',
      'instance norm [4,7,3,2], axis 1, forward and backward',
    ]);
    // Four of these, and instance normalization, which a row is not for.
    expect(names).toHaveLength(28);
  });
});

describe('groupsOf', () => {
  it.each([
    [64, 32],
    [48, 24],
    [32, 16],
    [7, 1],
    [1, 1],
  ])('divides %d features into %d groups', (features, groups) => {
    expect(groupsOf(images([2, 3, 3, features], 3))).toBe(groups);
  });
});

describe('withRows', () => {
  it.each([
    [images([8, 6, 6, 3], 3), [5, 1, 1, 3]],
    [images([8, 3, 6, 6], 1), [5, 3, 1, 1]],
  ])('keeps rank, axis and features of %j', (layerCase, shape) => {
    const part = withRows(layerCase, 5);
    expect(part).toEqual({...layerCase, shape});
    expect(rowsOf(part)).toBe(5);
    expect(rowsOf(layerCase)).toBe(8 * 6 * 6);
    expect(featuresOf(part)).toBe(3);
  });
});

describe('shrunk', () => {
  it('keeps the features and few of the others', () => {
    expect(shrunk(images([8, 64, 2, 6], 1)).shape).toEqual([4, 64, 2, 4]);
  });
});
