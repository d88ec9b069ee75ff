import {at} from '../at.js';
import type {Inspection, InspectionRow, Range} from './inspection.js';

const WIDTH = 80;

/**
 * A table of what {@link inspect} has found, as plain text: a row for each layer
 * with the range of each weight, and below it what looks wrong, and why.
 *
 * ```js
 * const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
 * console.log(formatInspection(await inspect(model)));
 * ```
 */
export function formatInspection(inspection: Inspection): string {
  if (inspection.length === 0) return 'The model has no normalization layers.';
  const {explanation} = inspection;
  const parts = [tableOf(inspection), problemsOf(inspection)];
  if (explanation !== undefined) parts.push(wrap(explanation, ''));
  return parts.join('\n\n');
}

function tableOf(rows: readonly InspectionRow[]): string {
  const names = [...new Set(rows.flatMap(({weights}) => Object.keys(weights)))];
  const hasData = rows.some(({data}) => data !== undefined);
  const header = [
    ...['layer', 'kind', 'axis', ...names],
    ...(hasData ? ['mean of data', 'variance of data'] : []),
  ];
  const lines = rows.map(({layer, kind, axis, weights, data}) => [
    ...[layer, kind, axis === undefined ? '' : String(axis)],
    ...names.map((name) => rangeText(weights[name])),
    ...(hasData ? [rangeText(data?.mean), rangeText(data?.variance)] : []),
  ]);
  return align(header, lines);
}

function align(
  header: readonly string[],
  lines: ReadonlyArray<readonly string[]>,
): string {
  const all = [header, ...lines];
  const widths = header.map((_, column) =>
    Math.max(...all.map((line) => (line[column] ?? '').length)),
  );
  const texts = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(at(widths, column)))
      .join('  ')
      .trimEnd(),
  );
  const rule = '─'.repeat(Math.max(...texts.map(({length}) => length)));
  return [texts[0], rule, ...texts.slice(1)].join('\n');
}

function problemsOf(rows: readonly InspectionRow[]): string {
  const lines = rows.flatMap(({layer, problems}) =>
    problems.map((problem) => wrap(`${layer}: ${problem}`, '  ')),
  );
  if (lines.length === 0) return 'Nothing looks wrong.';
  return lines.join('\n');
}

/** As many digits as tell values apart; a single value where all are equal. */
function rangeText(range: Range | undefined): string {
  if (range === undefined) return '';
  const [min, max] = [number(range.min), number(range.max)];
  return min === max ? min : `${min} … ${max}`;
}

function number(value: number): string {
  const size = Math.abs(value);
  return size >= 1e5 || (size < 1e-3 && size > 0)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
}

/** @param indent Of the lines after the first. */
function wrap(text: string, indent: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (longer.length <= WIDTH || last === '') lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join('\n');
}
