import Table from 'cli-table3';
import {percent} from '../tools/format.js';
import {isLast, nameOf} from './cases.js';
import {rounded, spelled, spelledRatio} from './figures.js';
import {
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

/**
 * Formats all results as tables, one per backend and mode, with the missing
 * figures.
 */
export function tablesOf(results: Results): string {
  const {layers, programs, folding, skipped} = results;
  const rows = [...layers, ...programs, ...folding];
  const backends = [...new Set(rows.map((r) => r.backend))];
  const tables = backends.flatMap((backend) => [
    ...MODES.map((mode) =>
      layerTable(
        `${backend}, ${mode}, ms`,
        layers.filter((r) => r.backend === backend && r.mode === mode),
      ),
    ),
    programTable(
      `${backend}, whole programs`,
      programs.filter((r) => r.backend === backend),
    ),
    foldingTable(
      `${backend}, a prediction with batch normalization, ms`,
      folding.filter((r) => r.backend === backend),
    ),
  ]);
  const texts = tables.filter((table) => table !== '');
  const missing = [...skipped, ...notesOf(layers)];
  return [...texts, ...(missing.length > 0 ? [missing.join('\n')] : [])].join(
    '\n\n',
  );
}

function layerTable(title: string, rows: readonly LayerRow[]): string {
  const head = [
    ...['', 'stock', 'composed', 'fused', 'tf.add', 'PyTorch'],
    ...[
      'stock / fused',
      'fused / add',
      'fused / PyTorch',
      'fused / layer norm',
    ],
  ];
  return tableOf(
    title,
    head,
    rows.map((row) => layerCells(row, rows)),
  );
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

function programTable(title: string, rows: readonly ProgramRow[]): string {
  const head = ['', ...VARIANTS, 'ours / none', 'stock / ours', 'share'];
  return tableOf(title, head, rows.map(programCells));
}

function programCells(row: ProgramRow): string[] {
  const {none, stock, ours} = row.cells;
  const {normalizationShare: share} = row;
  return [
    `${row.program}, ${row.norm}, ${runsOf(row)}`,
    ...VARIANTS.map((name) => programCell(row, name)),
    spelledRatio(ratioOf(ours, none)),
    spelledRatio(ratioOf(stock, ours)),
    share === null ? '–' : percent(share),
  ];
}

function foldingTable(title: string, rows: readonly FoldingRow[]): string {
  const head = ['', 'stock', 'ours', 'ours, folded', 'ours / folded'];
  const cellsOf = ({model, cells}: FoldingRow): string[] => [
    model,
    ...FOLDINGS.map((name) => spelled(cells[name])),
    spelledRatio(ratioOf(cells.before, cells.after)),
  ];
  return tableOf(title, head, rows.map(cellsOf));
}

/** Epochs are totals in seconds, steps are milliseconds each. */
function programCell(
  {run, cells}: ProgramRow,
  name: (typeof VARIANTS)[number],
): string {
  const cell = cells[name];
  if (run === 'epoch' && isTiming(cell)) return rounded(cell.total / 1000);
  return spelled(cell);
}

function runsOf({run, cells: {none}}: ProgramRow): string {
  if (run === 'training step' || !isTiming(none)) return `a ${run}, ms`;
  return `${none.runs} epochs, s`;
}

/** Formats rows of cells under a title; nothing without rows. */
export function tableOf(
  title: string,
  head: string[],
  rows: string[][],
): string {
  if (rows.length === 0) return '';
  const table = new Table({
    head,
    style: {head: [], border: [], compact: true},
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
  table.push(...rows);
  return `${title}\n${table.toString()}`;
}

/** Returns the full reasons for missing figures, which the cells shorten. */
function notesOf(rows: readonly LayerRow[]): string[] {
  const notes = rows.flatMap((row) =>
    CONTENDERS.flatMap((name) => {
      const cell = row.cells[name];
      if (isTiming(cell) || !cell.unavailable.includes(':')) return [];
      return [`${whereOf(row, name, row.mode)}: ${cell.unavailable}`];
    }),
  );
  return [...new Set(notes)];
}

function whereOf(row: LayerRow, name: string, mode: Mode): string {
  return `${row.backend}, ${name}, ${nameOf(row)}, ${mode}`;
}
