import {rowOf} from '../../bench/neighbours_result.js';

describe('F17: a row of neighbours', () => {
  it('compares each turn of a pair, and pairs by their medians', () => {
    const passingLoad = {without: 2, used: 200};
    const row = rowOf('cpu', 'conv2d', [
      [{without: 2, used: 3}, passingLoad, {without: 4, used: 6}],
      [
        {without: 1, used: 1},
        {without: 5, used: 5},
      ],
      [{without: 10, used: 20}],
    ]);
    expect(row).toEqual({
      backend: 'cpu',
      neighbour: 'conv2d',
      without: 3,
      used: 5.5,
      ratio: 1.5,
      range: [1, 2],
    });
  });
});
