import type {Sheet} from './table.js';

const SHORTEST = 3;

/** Formats a table in Markdown, with columns as wide as prettier makes them. */
export function markdownTable({head, rows}: Omit<Sheet, 'title'>): string {
  const widths = head.map((_, column) =>
    Math.max(
      SHORTEST,
      ...[head, ...rows].map((row) => row[column]?.length ?? 0),
    ),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows].map(line).join('\n');
}
