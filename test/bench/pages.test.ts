import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {performancePage, tablesPage} from '../../bench/pages.js';
import {drawPrograms} from '../../bench/programs_chart.js';
import {
  aimsReached,
  foldingRatios,
  growth,
  layerRatios,
  programRatios,
} from '../../bench/ratios.js';
import type {Results} from '../../bench/results.js';
import {
  layerRow,
  programRow,
  resultsOf,
  rowWithoutStock,
  timing,
} from './rows.js';

const ROOT = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Returns the cells of the last row of a table. */
const lastRow = (table: string): string[] =>
  (table.split('\n').pop() ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

describe('the pages with figures', () => {
  const results = JSON.parse(read('bench/results.json')) as Results;

  it('docs/benchmark-tables.md is what npm run bench:pages makes', () => {
    expect(read('docs/benchmark-tables.md')).toBe(tablesPage(results));
  });

  it('docs/performance.md is what npm run bench:pages makes', () => {
    const page = read('docs/performance.md');
    expect(page).toBe(performancePage(page, results));
  });

  it('a page without its part is refused', () => {
    expect(() => performancePage('# Performance', results)).toThrow(
      'docs/performance.md lacks its part "layers"',
    );
  });
});

describe('the ratios', () => {
  const {cells} = layerRow();
  const inputs = [3, 1, 10].map((stock) =>
    layerRow({cells: {...cells, stock: timing(stock)}}),
  );

  it('of layers are medians over inputs, with the extremes', () => {
    const table = layerRatios(resultsOf({layers: inputs}));
    expect(lastRow(table)).toEqual([
      'wasm',
      'batch norm',
      '3 (1 – 10)',
      '–',
      '2 (2 – 2)',
      '–',
      'never',
    ]);
  });

  it('of layers count what stock computes wrong, but not what is slow', () => {
    const wrong = {unavailable: 'wrong: other numbers'};
    const failing = layerRow({cells: {...cells, stock: wrong}});
    const layers = [...inputs, failing];
    expect(lastRow(layerRatios(resultsOf({layers})))[6]).toBe('1 of 4');
    const slow = resultsOf({layers: [rowWithoutStock()]});
    expect(lastRow(layerRatios(slow))[6]).toBe('never');
  });

  it('of programs and of folding have a column for each backend', () => {
    const programs = [programRow()];
    const row = lastRow(programRatios(resultsOf({programs})));
    expect(row).toEqual(['MLP, batch norm', '2', '1.25']);
    const predictions = {
      stock: timing(3),
      before: timing(2),
      after: timing(1),
    };
    const folding = [
      {backend: 'wasm', model: 'a network', cells: predictions} as const,
    ];
    expect(lastRow(foldingRatios(resultsOf({folding})))).toEqual([
      'a network',
      '2',
    ]);
  });

  it('of the aims say what was reached of what', () => {
    const layers = [layerRow({backend: 'tensorflow'})];
    expect(lastRow(aimsReached(resultsOf({layers})))).toEqual([
      'tensorflow',
      '– of 12',
      '– of 40',
      '1,230 of 8',
      '– of 45',
    ]);
  });

  it('of growth are nanoseconds for each value', () => {
    const images = [
      [32, 28, 28, 64],
      [64, 56, 56, 32],
    ].map((shape, i) =>
      layerRow({
        shape,
        axis: 3,
        cells: {...cells, fused: timing([1.605632, 12.845056][i] ?? NaN)},
      }),
    );
    const row = lastRow(growth(resultsOf({layers: images})));
    expect(row).toEqual(['wasm', 'batch norm', '1', '2', '2']);
  });
});

it('the chart of programs has what is measured, relative to none', () => {
  const svg = drawPrograms([programRow()]);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(
    ([, text = '']) => text,
  );
  expect(texts).toEqual(
    expect.arrayContaining(['MLP, batch norm, wasm', '2.5', '1.25']),
  );
});
