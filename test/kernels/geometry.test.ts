import fc from 'fast-check';
import {
  canWalk,
  chunksOf,
  geometryOf,
  stripsOf,
  tilesOf,
} from '../../src/kernels/geometry.js';
import {viewSize} from '../../src/kernels/contract.js';
import {anyView} from './views.js';

describe('geometryOf', () => {
  const view = {batch: 2, outer: 3, group: 4, channel: 5, inner: 1};

  it('goes through rows if a statistic is over adjacent values', () => {
    expect(geometryOf({...view, outer: 1}, true).walk).toBe('rows');
    expect(geometryOf(view, true).walk).toBe('columns');
    expect(geometryOf({...view, channel: 1}, true).walk).toBe('columns');
    expect(geometryOf({...view, inner: 2}, true).walk).toBe('runs');
  });

  it('makes long runs of channels without parameters', () => {
    const {channel, inner} = geometryOf({...view, inner: 6}, false);
    expect([channel, inner]).toEqual([1, 30]);
  });
});

describe('strips and tiles', () => {
  it('cover every value once, in pieces that fit', () => {
    const cases = fc.tuple(
      anyView,
      fc.constantFrom(1, 7, 64, 1000, Infinity),
      fc.constantFrom(1, 16, Infinity),
    );
    fc.assert(
      fc.property(cases, ([view, capacity, tileValues]) => {
        const geometry = geometryOf(view, true);
        fc.pre(geometry.walk !== 'rows' && canWalk(geometry, false, capacity));
        const seen = new Uint8Array(viewSize(view));
        for (let b = 0; b < geometry.batch; b++) {
          for (const strip of stripsOf(geometry, capacity)) {
            for (const tile of tilesOf(geometry, b, strip, tileValues)) {
              expect(tile.length).toBeLessThanOrEqual(capacity);
              const values = tile.length * tile.rows;
              expect(tile.rows === 1 || values <= tileValues).toBe(true);
              for (let row = 0; row < tile.rows; row++) {
                const at = tile.offset + row * tile.stride;
                for (let i = at; i < at + tile.length; i++) {
                  seen[i] = (seen[i] ?? 0) + 1;
                }
              }
            }
          }
        }
        expect(seen.every((times) => times === 1)).toBe(true);
      }),
    );
  });

  it('leave no strip of only a few columns, which would have to be contiguous', () => {
    const view = {batch: 1, outer: 2, group: 4097, channel: 1, inner: 1};
    const widths = stripsOf(view, Infinity).map(({width}) => width);
    expect(widths).toEqual([2049, 2048]);
  });

  it('chunks have at least one element', () => {
    expect(chunksOf(5, 2)).toEqual([
      {start: 0, count: 2},
      {start: 2, count: 2},
      {start: 4, count: 1},
    ]);
    expect(chunksOf(2, 0.1)).toHaveLength(2);
    expect(chunksOf(3, Infinity)).toEqual([{start: 0, count: 3}]);
    expect(chunksOf(0, 4)).toEqual([]);
  });
});
