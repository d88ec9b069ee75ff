import type {LayerRow} from '../../bench/results.js';
import {tablesOf} from '../../bench/table.js';
import {
  layerRow,
  programRow,
  resultsOf,
  rowWithoutStock,
  timing,
} from './rows.js';

/** Returns the cells of the line that starts with this text. */
function cellsOf(text: string, start: string): string[] {
  const line = text
    .split('\n')
    .find((l) => l.replace('│ ', '').startsWith(start));
  return (line ?? '')
    .split('│')
    .map((cell) => cell.trim())
    .slice(1, -1);
}

describe('tablesOf', () => {
  it('has medians with half of the distance of their quartiles, and ratios', () => {
    const text = tablesOf(resultsOf({layers: [layerRow()]}));
    expect(text).toContain('wasm, forward and backward, ms');
    expect(cellsOf(text, 'batch norm')).toEqual([
      'batch norm [128,1024]',
      '1,230 ±10%',
      '8 ±10%',
      '1 ±10%',
      '0.25 ±10%',
      '0.5 ±10%',
      '1,230',
      '4',
      '2',
      '–',
    ]);
  });

  it('compares what tf.js lacks with a layer norm of as many values', () => {
    const {cells} = layerRow();
    const row = (
      norm: LayerRow['norm'],
      axis: number,
      fused: number,
    ): LayerRow =>
      layerRow({
        norm,
        axis,
        shape: axis === 1 ? [2, 8, 4, 4] : [2, 4, 4, 8],
        cells: {...cells, fused: timing(fused)},
      });
    const layers = [
      row('layer norm', 3, 2),
      row('layer norm', 1, 8),
      row('group norm', 3, 3),
      row('group norm', 1, 1),
      row('rms norm', 3, 5),
      {...row('layer norm', 3, 7), mode: 'inference' as const},
    ];
    const text = tablesOf(resultsOf({layers: layers.reverse()}));
    const ratio = (start: string): string | undefined =>
      cellsOf(text.slice(text.indexOf('backward')), start).pop();
    expect(ratio('group norm [2,4,4,8]')).toBe('1.5');
    expect(ratio('group norm [2,8,4,4]')).toBe('0.5');
    expect(ratio('rms norm')).toBe('2.5');
    expect(ratio('layer norm')).toBe('–');
  });

  it('marks a timing of a single run', () => {
    const {cells} = layerRow();
    const once = {...cells, stock: {...timing(70), runs: 1}};
    const text = tablesOf(resultsOf({layers: [layerRow({cells: once})]}));
    expect(cellsOf(text, 'batch norm')[1]).toBe('70 once');
  });

  it('gives the reason for a missing figure in short, and below in full', () => {
    const layers = [rowWithoutStock()];
    const skipped = ['Skipped: PyTorch: nowhere'];
    const text = tablesOf(resultsOf({layers, skipped}));
    const cells = cellsOf(text, 'layer norm');
    expect([cells[1], cells[6]]).toEqual(['over 40 s', '–']);
    expect(text.split('\n').slice(-2)).toEqual([
      'Skipped: PyTorch: nowhere',
      'wasm, stock, layer norm [128,1024], forward and backward: over 40 s: about 5000 s a run',
    ]);
  });

  it('gives training steps in milliseconds and all epochs together in seconds', () => {
    const mainJob = programRow({program: 'main job', run: 'epoch'});
    const text = tablesOf(resultsOf({programs: [programRow(), mainJob]}));
    expect(cellsOf(text, 'MLP')).toEqual([
      'MLP, batch norm, a training step, ms',
      ...['4 ±10%', '10 ±10%', '5 ±10%', '5 ±10%', '1.25', '2', '20.0%'],
    ]);
    expect(cellsOf(text, 'main job').slice(0, 2)).toEqual([
      'main job, batch norm, 10 epochs, s',
      '0.04',
    ]);
  });

  it('has the other kernels beside the native ones, where they were measured', () => {
    const programs = [
      programRow({otherKernels: timing(6)}),
      programRow({program: 'main job'}),
    ];
    const text = tablesOf(resultsOf({native: true, programs}));
    expect(text).toContain('other kernels / none');
    expect(cellsOf(text, 'MLP').slice(-3)).toEqual(['20.0%', '6 ±10%', '1.5']);
    expect(cellsOf(text, 'main job').slice(-2)).toEqual(['–', '–']);
    const without = tablesOf(resultsOf({programs: [programRow()]}));
    expect(without).not.toContain('other kernels');
  });

  it('gives predictions before and after folding', () => {
    const cells = {stock: timing(3), before: timing(2), after: timing(1)};
    const folding = [{backend: 'wasm', model: 'a network', cells} as const];
    const text = tablesOf(resultsOf({folding}));
    expect(text).toContain('wasm, a prediction with batch normalization, ms');
    expect(cellsOf(text, 'a network')).toEqual([
      'a network',
      ...['3 ±10%', '2 ±10%', '1 ±10%', '2'],
    ]);
  });

  it('has a table for each backend and mode', () => {
    const layers = [
      layerRow(),
      layerRow({mode: 'inference'}),
      layerRow({backend: 'cpu'}),
    ];
    const titles = tablesOf(resultsOf({layers}))
      .split('\n')
      .filter((line) => line.endsWith(', ms'));
    expect(titles).toEqual([
      'wasm, inference, ms',
      'wasm, forward and backward, ms',
      'cpu, forward and backward, ms',
    ]);
  });
});
