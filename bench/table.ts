import Table from 'cli-table3';
import {percent} from '../tools/format.js';
import {isLast, nameOf} from './cases.js';
import {rounded, spelled, spelledRatio} from './figures.js';
import {
  type Cell,
  CONTENDERS,
  FOLDINGS,
  type FoldingRow,
  isStockNorm,
  isTiming,
  type LayerRow,
  type Mode,
  MODES,
  type ProgramRow,
  ratioOf,
  type Results,
  VARIANTS,
} from './results.js';

/** A table of texts. */
export interface Sheet {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: ReadonlyArray<readonly string[]>;
}

/**
 * Formats all results as tables, one per backend and mode, with the missing
 * figures.
 */
export function tablesOf(results: Results): string {
  const missing = notesOf(results);
  return [
    ...sheetsOf(results).map(drawn),
    ...(missing.length > 0 ? [missing.join('\n')] : []),
  ].join('\n\n');
}

/** Returns the tables of all results, without those that are empty. */
export function sheetsOf(results: Results): Sheet[] {
  const {layers, programs, folding, native} = results;
  const rows = [...layers, ...programs, ...folding];
  const backends = [...new Set(rows.map((r) => r.backend))];
  const sheets = backends.flatMap((backend) => {
    const title = native ? `${backend}, native kernels` : backend;
    return [
      ...MODES.map((mode) =>
        layerTable(
          `${title}, ${mode}, ms`,
          layers.filter((r) => r.backend === backend && r.mode === mode),
        ),
      ),
      programTable(
        `${title}, whole programs`,
        programs.filter((r) => r.backend === backend),
      ),
      foldingTable(
        `${title}, a prediction with batch normalization, ms`,
        folding.filter((r) => r.backend === backend),
      ),
    ];
  });
  return sheets.filter((sheet) => sheet.rows.length > 0);
}

function layerTable(title: string, rows: readonly LayerRow[]): Sheet {
  const head = [
    ...['', 'stock', 'composed', 'fused', 'tf.add', 'PyTorch'],
    ...[
      'stock / fused',
      'fused / add',
      'fused / PyTorch',
      'fused / layer norm',
    ],
  ];
  return {title, head, rows: rows.map((row) => layerCells(row, rows))};
}

/** @param rows All rows of the table. */
function layerCells(row: LayerRow, rows: readonly LayerRow[]): string[] {
  const {stock, fused, add, torch} = row.cells;
  return [
    nameOf(row),
    ...CONTENDERS.map((name) => spelled(row.cells[name])),
    spelledRatio(ratioOf(stock, fused)),
    spelledRatio(ratioOf(fused, add)),
    spelledRatio(ratioOf(fused, torch)),
    spelledRatio(toLayerNorm(row, rows)),
  ];
}

/**
 * Returns the time of a normalization that tf.js lacks over that of a layer normalization
 * of as many values, whose features are last.
 */
function toLayerNorm(
  {norm, shape, cells}: LayerRow,
  rows: readonly LayerRow[],
): number | null {
  if (isStockNorm(norm)) return null;
  const sizes = (lengths: readonly number[]): string =>
    [...lengths].sort((a, b) => a - b).join();
  const layerNorm = rows.find(
    (row) =>
      row.norm === 'layer norm' &&
      isLast(row) &&
      sizes(row.shape) === sizes(shape),
  );
  return layerNorm ? ratioOf(cells.fused, layerNorm.cells.fused) : null;
}

function programTable(title: string, rows: readonly ProgramRow[]): Sheet {
  const head = ['', ...VARIANTS, 'ours / none', 'stock / ours', 'share'];
  if (!rows.some(({otherKernels}) => otherKernels)) {
    return {title, head, rows: rows.map(programCells)};
  }
  return {
    title,
    head: [...head, 'other kernels', 'other kernels / none'],
    rows: rows.map((row) => [...programCells(row), ...otherCells(row)]),
  };
}

function programCells(row: ProgramRow): string[] {
  const {none, stock, ours} = row.cells;
  const {normalizationShare: share} = row;
  return [
    `${row.program}, ${row.norm}, ${runsOf(row)}`,
    ...VARIANTS.map((name) => programCell(row, row.cells[name])),
    spelledRatio(ratioOf(ours, none)),
    spelledRatio(ratioOf(stock, ours)),
    share === null ? '–' : percent(share),
  ];
}

/** This package by the kernels that compute without the native ones. */
function otherCells(row: ProgramRow): string[] {
  const {otherKernels, cells} = row;
  if (otherKernels === undefined) return ['–', '–'];
  return [
    programCell(row, otherKernels),
    spelledRatio(ratioOf(otherKernels, cells.none)),
  ];
}

function foldingTable(title: string, rows: readonly FoldingRow[]): Sheet {
  const head = ['', 'stock', 'ours', 'ours, folded', 'ours / folded'];
  const cellsOf = ({model, cells}: FoldingRow): string[] => [
    model,
    ...FOLDINGS.map((name) => spelled(cells[name])),
    spelledRatio(ratioOf(cells.before, cells.after)),
  ];
  return {title, head, rows: rows.map(cellsOf)};
}

/** Epochs are totals in seconds, steps are milliseconds each. */
function programCell({run}: ProgramRow, cell: Cell): string {
  if (run === 'epoch' && isTiming(cell)) return rounded(cell.total / 1000);
  return spelled(cell);
}

function runsOf({run, cells: {none}}: ProgramRow): string {
  if (run === 'training step' || !isTiming(none)) return `a ${run}, ms`;
  return `${none.runs} epochs, s`;
}

/** Draws a sheet for a terminal. */
export function drawn({title, head, rows}: Sheet): string {
  const table = new Table({
    head: [...head],
    style: {head: [], border: [], compact: true},
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
  table.push(...rows.map((row) => [...row]));
  return `${title}\n${table.toString()}`;
}

/**
 * Returns what was skipped, and the full reasons for missing figures, which the cells
 * shorten.
 */
export function notesOf({layers, skipped}: Results): string[] {
  const notes = layers.flatMap((row) =>
    CONTENDERS.flatMap((name) => {
      const cell = row.cells[name];
      if (isTiming(cell) || !cell.unavailable.includes(':')) return [];
      return [`${whereOf(row, name, row.mode)}: ${cell.unavailable}`];
    }),
  );
  return [...skipped, ...new Set(notes)];
}

function whereOf(row: LayerRow, name: string, mode: Mode): string {
  return `${row.backend}, ${name}, ${nameOf(row)}, ${mode}`;
}
