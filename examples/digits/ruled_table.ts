import Table from 'cli-table3';

/** Only space between the cells; the rules are drawn afterwards. */
const SPACE = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((side) =>
    [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((c) => [c, '']),
  ),
);

const HEADER_LINES = 2;

/** Formats a table of two header lines and a line per row, between rules. */
export function ruledTable(rows: readonly Table.Cell[][]): string {
  const table = new Table({
    chars: {...SPACE, 'left-mid': '', 'right-mid': '', middle: ''},
    style: {head: [], border: [], 'padding-left': 2, 'padding-right': 0},
  });
  table.push(...rows);
  const text = table.toString();
  const lines = text.split('\n').map((line) => line.trimEnd().slice(2));
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)));
  return [
    ...lines.slice(0, HEADER_LINES),
    rule,
    ...lines.slice(HEADER_LINES),
    rule,
  ].join('\n');
}

/** Makes a cell with text at the left, or with a number at the right. */
export function align(content: string, column: number): Table.Cell {
  return {content, hAlign: column === 0 ? 'left' : 'right'};
}
