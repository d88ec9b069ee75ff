import {InputError} from './errors.js';
import {checkLabel, type Images} from './images.js';

/** What a CSV must look like, for --help. */
export const CSV_FORMAT =
  'One image a line: its pixels, row by row, then its label from 0 to 9,\n' +
  'separated by commas. Pixels are numbers from 0 up; they are divided by the\n' +
  'largest in the file. No header, no quotes. 80% of the lines are for training.';

/** Decimal numbers only: Number('') is 0, and Number('0x10') is 16. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const LONGEST_QUOTE = 20;

/**
 * Reads the text of a CSV file. Line ends of Windows, a byte order mark and
 * empty lines at the end are allowed.
 *
 * @param file The name of the file, for messages.
 * @throws InputError naming the file and the line that is wrong.
 */
export function parseCsv(text: string, file: string): Images {
  const lines = linesOf(text);
  if (lines.length === 0) throw new InputError(`${file}: the file is empty`);
  const [first = ''] = lines;
  refuseEmpty(first, `${file}, line 1`);
  const columns = first.split(',').length;
  if (columns < 2) {
    throw new InputError(
      `${file}, line 1: one value only; pixels and a label are needed, ` +
        `separated by commas`,
    );
  }
  const size = columns - 1;
  const pixels = new Float32Array(lines.length * size);
  const labels = new Uint8Array(lines.length);
  lines.forEach((line, row) => {
    const where = `${file}, line ${row + 1}`;
    const values = parseLine(line, columns, where);
    pixels.set(values.subarray(0, size), row * size);
    labels[row] = values[size] ?? 0;
  });
  return {pixels: scaled(pixels), labels, size};
}

function linesOf(text: string): string[] {
  const content = text.replace(/^\uFEFF/, '').trimEnd();
  return content === '' ? [] : content.split(/\r?\n/);
}

function refuseEmpty(line: string, where: string): void {
  if (line.trim() === '') throw new InputError(`${where}: the line is empty`);
}

function parseLine(line: string, columns: number, where: string): Float64Array {
  const fields = line.split(',');
  refuseEmpty(line, where);
  if (fields.length !== columns) {
    throw new InputError(
      `${where}: ${count(fields.length)}, where line 1 has ${columns}`,
    );
  }
  const values = Float64Array.from(fields, (field, column) =>
    parseNumber(field, `${where}, value ${column + 1}`),
  );
  const negative = values.findIndex((value) => value < 0);
  if (negative >= 0 && negative < columns - 1) {
    throw new InputError(
      `${where}, value ${negative + 1}: ` +
        `the pixel is ${values[negative] ?? 0}, below 0`,
    );
  }
  checkLabel(values[columns - 1] ?? NaN, where);
  return values;
}

function parseNumber(field: string, where: string): number {
  const text = field.trim();
  const value = NUMBER.test(text) ? Number(text) : NaN;
  // What is beyond float32 would be infinite in the tensor.
  if (Number.isFinite(Math.fround(value))) return value;
  const shown =
    text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  throw new InputError(`${where}: ${JSON.stringify(shown)} is not a number`);
}

function scaled(pixels: Float32Array): Float32Array {
  const largest = pixels.reduce((a, b) => Math.max(a, b), 0);
  return largest > 0 ? pixels.map((pixel) => pixel / largest) : pixels;
}

function count(values: number): string {
  return values === 1 ? '1 value' : `${values} values`;
}
