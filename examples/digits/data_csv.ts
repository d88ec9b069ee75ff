import {InputError} from '../../tools/errors.js';
import {checkLabel, type Images} from './images.js';

/** The CSV format, for --help. */
export const CSV_FORMAT =
  'One image a line: its pixels, row by row, then its label from 0 to 9,\n' +
  'separated by commas, semicolons or tabs. No quotes. A first line of names is\n' +
  'left out. Pixels are whole numbers from 0 to 255, or numbers from 0 to 1; they\n' +
  'are divided by the largest in the file. Any other numbers are a table, and each\n' +
  'column of it is brought to 0 to 1. 80% of the lines are for training.';

const SEPARATORS: ReadonlyMap<string, string> = new Map([
  [',', 'commas'],
  [';', 'semicolons'],
  ['\t', 'tabs'],
]);

const LARGEST_PIXEL = 255;

/** Decimal numbers only: Number('') is 0, and Number('0x10') is 16. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const LONGEST_QUOTE = 20;

/**
 * Reads the text of a CSV file. Windows line ends, a byte order mark, a header
 * line and empty lines at the end are allowed.
 *
 * @param file The name of the file, for messages.
 * @throws InputError naming the file and the wrong line.
 */
export function parseCsv(text: string, file: string): Images {
  const lines = linesOf(text);
  if (lines.length === 0) throw new InputError(`${file}: the file is empty`);
  const [first = ''] = lines;
  refuseEmpty(first, `${file}, line 1`);
  const separator = separatorOf(lines, file);
  const columns = first.split(separator).length;
  if (columns < 2) {
    throw new InputError(
      `${file}, line 1: only one value; pixels and a label are needed, ` +
        `separated by commas, semicolons or tabs`,
    );
  }
  const header = isHeader(first, separator) ? 1 : 0;
  const count = lines.length - header;
  if (count === 0) {
    throw new InputError(
      `${file}: line 1 looks like a header, and there is no other line`,
    );
  }
  const size = columns - 1;
  const values = new Float64Array(count * size);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const where = `${file}, line ${row + header + 1}`;
    const fields = (lines[row + header] ?? '').split(separator);
    const found = parseLine(fields, columns, where);
    values.set(found.subarray(0, size), row * size);
    labels[row] = found[size] ?? 0;
  }
  return {pixels: scaled(values, size), labels, size};
}

/**
 * Finds the separator of a file: a comma, if it contains one.
 *
 * @throws InputError if commas occur beside other separators, and may be
 *   decimal commas.
 */
function separatorOf(lines: readonly string[], file: string): string {
  // A space or a tab next to a comma is not a separator.
  const text = lines
    .slice(0, 2)
    .join('\n')
    .replace(/[ \t]*,[ \t]*/g, ',');
  const [found = ',', ...others] = [...SEPARATORS.keys()].filter((separator) =>
    text.includes(separator),
  );
  const [other] = others;
  if (other === undefined) return found;
  throw new InputError(
    `${file}: ${SEPARATORS.get(found)} and ${SEPARATORS.get(other)} between the values; ` +
      `separate them by commas, and write decimal numbers with a point`,
  );
}

/** If true, every value of a line is a name, as in a header. */
function isHeader(line: string, separator: string): boolean {
  return line.split(separator).every(isName);
}

/** If true, the field cannot be meant as a number. */
function isName(field: string): boolean {
  const text = field.trim();
  const isNumber = /^"?[+-]?(\d|\.\d|nan\b|inf)/i.test(text);
  return !isNumber && /\p{L}/u.test(text);
}

function linesOf(text: string): string[] {
  const content = text.replace(/^\uFEFF/, '').trimEnd();
  return content === '' ? [] : content.split(/\r?\n/);
}

function refuseEmpty(line: string, where: string): void {
  if (line.trim() === '') throw new InputError(`${where}: the line is empty`);
}

function parseLine(
  fields: readonly string[],
  columns: number,
  where: string,
): Float64Array {
  refuseEmpty(fields.length === 1 ? (fields[0] ?? '') : ',', where);
  if (fields.length !== columns) {
    throw new InputError(
      `${where}: ${count(fields.length)}, where line 1 has ${columns}`,
    );
  }
  const values = Float64Array.from(fields, (field, column) =>
    parseNumber(field, `${where}, value ${column + 1}`),
  );
  checkLabel(values[columns - 1] ?? NaN, where);
  return values;
}

function parseNumber(field: string, where: string): number {
  const text = field.trim();
  const value = NUMBER.test(text) ? Number(text) : NaN;
  // A value beyond float32 would be infinite in the tensor.
  if (Number.isFinite(Math.fround(value))) return value;
  const shown =
    text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  const cause =
    isName(text) && where.includes(', line 1,')
      ? '; line 1 looks like a header, of which every value must be a name: ' +
        'remove the line'
      : '';
  throw new InputError(
    `${where}: ${JSON.stringify(shown)} is not a number${cause}`,
  );
}

/**
 * Scales the values to 0 to 1: pixels by one factor, a table by one per column.
 */
function scaled(values: Float64Array, columns: number): Float32Array {
  const largest = values.reduce((a, b) => Math.max(a, b), 0);
  if (arePixels(values, largest)) {
    return Float32Array.from(values, (value) => value / (largest || 1));
  }
  const least = new Float64Array(columns).fill(Infinity);
  const most = new Float64Array(columns).fill(-Infinity);
  values.forEach((value, i) => {
    const column = i % columns;
    least[column] = Math.min(least[column] ?? value, value);
    most[column] = Math.max(most[column] ?? value, value);
  });
  return Float32Array.from(values, (value, i) => {
    const [low = 0, high = 0] = [least[i % columns], most[i % columns]];
    return high > low ? (value - low) / (high - low) : 0;
  });
}

/** If true, the values look like stored pixels. */
function arePixels(values: Float64Array, largest: number): boolean {
  if (values.some((value) => value < 0)) return false;
  return (
    largest <= 1 || (largest <= LARGEST_PIXEL && values.every(Number.isInteger))
  );
}

function count(values: number): string {
  return values === 1 ? '1 value' : `${values} values`;
}
