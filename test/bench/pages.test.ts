import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gpuFigures} from '../../bench/gpu_table.js';
import {DOCUMENTS, renewed, sourcesIn, tablesPage} from '../../bench/pages.js';
import {drawPrograms} from '../../bench/programs_chart.js';
import {
  aimsReached,
  familyRatios,
  foldingRatios,
  growth,
  layerRatios,
  programRatios,
} from '../../bench/ratios.js';
import {withFigures} from '../../bench/spots.js';
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
  const sources = sourcesIn(ROOT);

  it('docs/benchmark-tables.md is what npm run bench:pages makes', () => {
    expect(read('docs/benchmark-tables.md')).toBe(tablesPage(sources.results));
  });

  it.each(DOCUMENTS)('%s is what npm run bench:pages makes', (path) => {
    expect(read(path)).toBe(renewed(read(path), sources));
  });

  it('docs/programs.svg is what npm run bench:pages draws', () => {
    expect(read('docs/programs.svg')).toBe(
      drawPrograms(sources.results.programs),
    );
  });

  it('docs/performance.md has each table', () => {
    const page = read('docs/performance.md');
    const names = [...page.matchAll(/<!-- results: (.*?) -->/g)].map(
      ([, name]) => name,
    );
    expect(names).toEqual([
      ...['layers', 'programs', 'folding', 'family', 'gpu', 'aims'],
    ]);
  });

  it('documents without a list of their figures have none in marks', () => {
    const marked = readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`)
      .concat(readdirSync(ROOT).filter((name) => name.endsWith('.md')))
      .filter((path) => /<!-- (figure|results):/.test(read(path)));
    expect(marked.sort()).toEqual([...DOCUMENTS].sort());
  });

  it('a table stays as it is where its figures were not measured', () => {
    const page = '<!-- results: family -->\n\nearlier\n\n<!-- end -->';
    const results = resultsOf({layers: [layerRow()]});
    expect(renewed(page, {results})).toBe(page);
  });

  it('a table that is not known is refused', () => {
    const page = '<!-- results: speed -->\n\n<!-- end -->';
    expect(() => renewed(page, sources)).toThrow('no figures for: speed');
  });
});

describe('a figure in prose', () => {
  const {cells} = layerRow();
  const results = resultsOf({
    layers: [
      layerRow({cells: {...cells, stock: timing(1234.5)}}),
      layerRow({shape: [60, 100], cells: {...cells, stock: timing(3.27)}}),
      layerRow({shape: [32, 64], cells: {...cells, stock: timing(20)}}),
      rowWithoutStock(),
    ],
  });
  const filled = (spot: string): string =>
    withFigures(`It is <!-- figure: ${spot} -->old<!-- end --> times.`, results)
      .replace(/<!--.*?-->/g, '')
      .replace(/^It is (.*) times\.$/, '$1');

  it('is the cell that its spot names, with two digits', () => {
    const spot = 'wasm, forward* | batch norm [128,1024] | stock / fused';
    expect(filled(spot)).toBe('1,200');
    expect(filled(spot.replace('stock / fused', 'PyTorch'))).toBe('0.5');
  });

  it('is an extreme, the middle or the range of several cells', () => {
    const spot = '* | * | stock / fused';
    expect(filled(`${spot} | least`)).toBe('3.3');
    expect(filled(`${spot} | middle`)).toBe('20');
    expect(filled(`${spot} | most`)).toBe('1,200');
    expect(filled(`${spot} | range`)).toBe('3.3 to 1,200');
  });

  it('stands alone: it keeps the text around it, and its spot', () => {
    const spot = '<!-- figure: * | batch norm [60,100] | stock / fused -->';
    const page = `A ${spot}1<!-- end --> b ${spot}2<!-- end -->\nc`;
    expect(withFigures(page, results)).toBe(
      `A ${spot}3.3<!-- end --> b ${spot}3.3<!-- end -->\nc`,
    );
  });

  it('that nothing measures is refused, as is one that could be another', () => {
    expect(() => filled('webgl* | * | stock / fused | most')).toThrow(
      'no figure for: webgl* | * | stock / fused | most',
    );
    expect(() => filled('* | layer norm* | stock / fused')).toThrow(
      'no figure for: * | layer norm* | stock / fused',
    );
    expect(() => filled('* | * | stock / fused')).toThrow(
      '3 figures, and none',
    );
  });

  it('that begins a line is refused, since its paragraph would end there', () => {
    const page =
      'It is\n<!-- figure: * | * | stock / fused | most -->1<!-- end -->';
    expect(() => withFigures(page, results)).toThrow('a figure begins a line');
  });
});

it('the figures of the page on a GPU are tables of its layers and networks', () => {
  const {cells} = layerRow();
  const text = gpuFigures({
    date: '2026-01-02T00:00:00.000Z',
    browser: 'one',
    versions: {tfjs: '4'},
    devices: [{backend: 'webgl', adapter: 'a card', isSoftware: true}],
    skipped: [],
    layers: [layerRow({backend: 'webgl', cells: {...cells, stock: timing(3)}})],
    digits: [
      {
        backend: 'webgl',
        cells: {
          plain: timing(2),
          fused: timing(3),
          composed: timing(4),
          stock: {unavailable: 'throws: an error'},
        },
        longestPause: 1,
      },
    ],
  });
  expect(text).toContain(
    'Milliseconds, medians, 2026-01-02, on webgl: a card, in software: no GPU.',
  );
  const [, ofLayers = '', ofDigits = ''] = text.split('\n\n');
  expect(lastRow(ofLayers)).toEqual([
    'webgl, batch norm [128,1024]',
    ...['3 ±10%', '8 ±10%', '1 ±10%', '0.25 ±10%', '3', '8', '4'],
  ]);
  expect(lastRow(ofDigits)).toEqual([
    'webgl',
    ...['2 ±10%', '3 ±10%', '4 ±10%', 'throws', '1.5', '2', '–'],
  ]);
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

  it('of the family compare with layer normalization of the same backend', () => {
    const shape = [16, 128, 768];
    const layers = (['layer norm', 'group norm', 'rms norm'] as const).map(
      (norm, i) =>
        layerRow({
          norm,
          shape,
          axis: 2,
          cells: {...cells, fused: timing([4, 5, 3][i] ?? NaN)},
        }),
    );
    const other = layerRow({
      norm: 'layer norm',
      shape,
      axis: 2,
      backend: 'cpu',
    });
    const text = familyRatios(resultsOf({layers: [other, ...layers]})) ?? '';
    const table = text.split('\n').slice(-5).join('\n');
    expect(table.split('\n')[0]).toMatch(/^\|\s+\| wasm \|$/);
    expect(lastRow(table)).toEqual(['rms norm', '0.75']);
    expect(table).toMatch(/\| group norm +\| 1\.25 \|/);
    expect(table).toMatch(/\| instance norm \| – +\|/);
    expect(familyRatios(resultsOf({layers: [other]}))).toBeUndefined();
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
