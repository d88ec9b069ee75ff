import {at} from '../../util/at.js';
import {refuseOptions} from '../../layer_support/options.js';
import {worstFirst} from './inspect_problems.js';
import type {Inspection, InspectionRow, Range} from './inspection.js';

const WIDTH = 80;

/** The most layers in a table, and the most whose problems are listed. */
const MOST_ROWS = 20;
const MOST_PROBLEMS = 10;

/**
 * Formats the result of {@link inspect} as a plain-text table: a row for each
 * layer with the range of each weight, followed by the problems and their
 * cause. Of more than 20 layers it shows the 20 worst, and says how many it
 * leaves out; the inspection itself has all of them.
 *
 * ```js
 * const model = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
 * console.log(formatInspection(await inspect(model)));
 * ```
 *
 * @throws Error if it is given options; it has none.
 */
export function formatInspection(inspection: Inspection, ...none: []): string {
  refuseOptions(none, 'formatInspection');
  if (inspection.length === 0) return 'The model has no normalization layers.';
  const {explanation} = inspection;
  const worst = worstFirst(inspection);
  const shown = new Set(worst.slice(0, MOST_ROWS));
  const rows = inspection.filter((row) => shown.has(row));
  const table = [tableOf(rows), ...rest(inspection.length - rows.length)];
  const parts = [table.join('\n'), problemsOf(worst)];
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

/** A line that counts the layers left out, if any. */
function rest(left: number, what = ''): string[] {
  if (left <= 0) return [];
  return [`… and ${left} more ${left === 1 ? 'layer' : 'layers'}${what}`];
}

/** @param worst The rows, the worst first. */
function problemsOf(worst: readonly InspectionRow[]): string {
  const wrong = worst.filter(({problems}) => problems.length > 0);
  const shown = wrong.slice(0, MOST_PROBLEMS);
  const lines = shown.flatMap(({layer, problems}) =>
    problems.map((problem) => wrap(`${layer}: ${problem}`, '  ')),
  );
  if (lines.length === 0) return 'Nothing looks wrong.';
  const more = rest(
    wrong.length - shown.length,
    ' in which something looks wrong',
  );
  return [...lines, ...more].join('\n');
}

/**
 * Uses enough digits to tell the values apart; a single value if they are
 * equal.
 */
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

/** @param indent The indent of all lines but the first. */
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
