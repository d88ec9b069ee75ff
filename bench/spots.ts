import type {Results} from './results.js';
import {sheetsOf} from './table.js';

/*
 * Figures in the prose of documents. A spot names cells of docs/benchmark-tables.md, by its
 * table, row and column, where `*` stands for any text:
 *
 *   <!-- figure: wasm, forward* | layer norm [128,1024] | stock / fused -->640<!-- end -->
 *
 * Where several cells fit, a fourth part says which to write: `least`, `most`, `middle`,
 * or `range`, as in "3.6 to 7,700".
 */

const SPOT = /<!-- figure: (.*?) -->.*?<!-- end -->/gs;

/** A line that begins with a comment is no part of its paragraph in Markdown. */
const AT_A_LINES_START = /^\s*<!-- figure:/m;

const FORMAT = new Intl.NumberFormat('en', {maximumSignificantDigits: 2});

const CHOICES: Readonly<Record<string, (sorted: readonly number[]) => string>> =
  {
    least: (sorted) => spelled(sorted[0]),
    most: (sorted) => spelled(sorted.at(-1)),
    middle: (sorted) => spelled(sorted[(sorted.length - 1) >> 1]),
    range: (sorted) => `${spelled(sorted[0])} to ${spelled(sorted.at(-1))}`,
  };

/**
 * Returns a document with the figures of its prose renewed, to two digits.
 *
 * @throws Error naming a spot that fits no figure, or more than one without saying which.
 */
export function withFigures(page: string, results: Results): string {
  const misplaced = AT_A_LINES_START.exec(page);
  if (misplaced) {
    throw new Error(`a figure begins a line: ${page.slice(misplaced.index)}`);
  }
  return page.replace(SPOT, (_, spot: string) => {
    return `<!-- figure: ${spot} -->${figureAt(spot, results)}<!-- end -->`;
  });
}

function figureAt(spot: string, results: Results): string {
  const [sheet = '', row = '', column = '', choice] = spot.split(' | ');
  const values = sheetsOf(results)
    .filter(({title}) => fits(title, sheet))
    .flatMap(({head, rows}) =>
      rows
        .filter(([name = '']) => fits(name, row))
        .flatMap((cells) => cells.filter((_, i) => fits(head[i] ?? '', column)))
        .map(valueOf),
    )
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  if (values.length === 0) throw new Error(`no figure for: ${spot}`);
  if (choice === undefined && values.length === 1) return spelled(values[0]);
  const {[choice ?? '']: choose} = CHOICES;
  if (choose === undefined) {
    throw new Error(
      `${values.length} figures, and none of ${Object.keys(CHOICES).join(', ')}: ${spot}`,
    );
  }
  return choose(values);
}

function fits(text: string, pattern: string): boolean {
  const [first = '', ...others] = pattern
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${[first, ...others].join('.*')}$`).test(text);
}

/** Reads a cell such as 4,570 ±3%; NaN if it has no figure. */
function valueOf(cell: string): number {
  return Number.parseFloat(cell.replace(/,/g, ''));
}

function spelled(value = NaN): string {
  return FORMAT.format(value);
}
