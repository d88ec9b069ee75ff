import {nameOf} from './cases.js';
import {spelled, spelledRatio} from './figures.js';
import {markdownTable} from './markdown.js';
import type {PageResults} from './page/measure.js';
import {
  type Contender,
  type DigitsRow,
  type LayerRow,
  NETWORKS,
  ratioOf,
} from './results.js';

/*
 * The tables of the page that measures a browser's GPU, for the page itself and for
 * docs/performance.md.
 */

const SHOWN: readonly Contender[] = ['stock', 'composed', 'fused', 'add'];

const RATIOS: ReadonlyArray<readonly [Contender, Contender]> = [
  ['stock', 'fused'],
  ['composed', 'fused'],
  ['fused', 'add'],
];

/** Returns the name of a layer's row, its times in milliseconds and their ratios. */
export function layerCells(row: LayerRow): string[] {
  const mode = row.mode === 'inference' ? ', inference' : '';
  return [
    `${row.backend}, ${nameOf(row)}${mode}`,
    ...SHOWN.map((name) => spelled(row.cells[name])),
    ...RATIOS.map(([slow, quick]) =>
      spelledRatio(ratioOf(row.cells[slow], row.cells[quick])),
    ),
  ];
}

/** Returns the backend of the digits networks, their times and ratios to the plain one's. */
export function digitsCells({backend, cells}: DigitsRow): string[] {
  return [
    backend,
    ...NETWORKS.map((name) => spelled(cells[name])),
    ...NETWORKS.slice(1).map((name) =>
      spelledRatio(ratioOf(cells[name], cells.plain)),
    ),
  ];
}

/** Returns all that the page measured, in Markdown. */
export function gpuFigures({
  date,
  devices,
  layers,
  digits,
}: PageResults): string {
  const where = devices.map(
    ({backend, adapter, isSoftware}) =>
      `${backend}: ${adapter}${isSoftware ? ', in software: no GPU' : ''}`,
  );
  const day = date.slice(0, 'yyyy-mm-dd'.length);
  const ofLayers = [
    ...['layer and input', ...SHOWN],
    ...RATIOS.map((pair) => pair.join(' / ')),
  ];
  const ofDigits = [
    ...['an epoch of digits', ...NETWORKS],
    ...NETWORKS.slice(1).map((name) => `${name} / plain`),
  ];
  return [
    `Milliseconds, medians, ${day}, on ${where.join('; ')}.`,
    markdownTable({head: ofLayers, rows: layers.map(layerCells)}),
    markdownTable({head: ofDigits, rows: digits.map(digitsCells)}),
  ].join('\n\n');
}
