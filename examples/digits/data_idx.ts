import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {InputError, reasonOf} from '../../tools/errors.js';
import {checkLabel, type Images} from './images.js';

/** The contents of a folder of IDX files, for --help. */
export const IDX_FORMAT =
  'train-images-idx3-ubyte, train-labels-idx1-ubyte, and for validation\n' +
  't10k-images-idx3-ubyte, t10k-labels-idx1-ubyte: MNIST and Fashion-MNIST as\n' +
  'they are distributed, each file with or without .gz.';

/** The third byte of the magic number is the type, the fourth the rank. */
const UNSIGNED_BYTE = 0x08;
const GZIP_MAGIC = [0x1f, 0x8b];
const LARGEST_PIXEL = 255;

/** The contents of an IDX file. */
export interface Idx {
  /** The length of each axis. */
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/**
 * Reads the four files of a data set.
 *
 * @throws InputError naming the file that is missing or wrong.
 */
export function readIdxFolder(folder: string): {
  training: Images;
  validation: Images;
} {
  const training = readPart(folder, 'train');
  const validation = readPart(folder, 't10k');
  if (training.size !== validation.size) {
    throw new InputError(
      `${folder}: the training images have ${training.size} pixels, the ` +
        `validation images ${validation.size}`,
    );
  }
  return {training, validation};
}

/**
 * Parses an IDX file of unsigned bytes.
 *
 * @param rank The number of axes that the file must have.
 * @param file The name of the file, for messages.
 * @throws InputError if the bytes are anything else.
 */
export function parseIdx(bytes: Uint8Array, rank: number, file: string): Idx {
  const header = 4 + 4 * rank;
  checkMagic(bytes, rank, file);
  if (bytes.length < header) throw lengthError(file, header, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({length: rank}, (_, i) => view.getUint32(4 + 4 * i));
  const length = header + shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== length) throw lengthError(file, length, bytes.length);
  return {shape, values: bytes.subarray(header)};
}

function readPart(folder: string, part: string): Images {
  const imageFile = find(folder, `${part}-images`, 'idx3-ubyte');
  const labelFile = find(folder, `${part}-labels`, 'idx1-ubyte');
  const images = parseIdx(readBytes(imageFile), 3, imageFile);
  const labels = parseIdx(readBytes(labelFile), 1, labelFile);
  const [count = 0, rows = 0, columns = 0] = images.shape;
  if (images.values.length === 0) {
    throw new InputError(`${imageFile}: there are no images in it`);
  }
  if (count !== labels.values.length) {
    throw new InputError(
      `${labelFile}: ${labels.values.length} labels, where ` +
        `${imageFile} has ${count} images`,
    );
  }
  labels.values.forEach((label, i) =>
    checkLabel(label, `${labelFile}, label ${i + 1}`),
  );
  const pixels = Float32Array.from(images.values, (p) => p / LARGEST_PIXEL);
  return {pixels, labels: labels.values, size: rows * columns};
}

/** Some copies have a dot in place of the hyphen. */
function find(folder: string, name: string, ending: string): string {
  const names = [`${name}-${ending}`, `${name}.${ending}`];
  const files = names.flatMap((file) => [file, `${file}.gz`]);
  const found = files.map((f) => join(folder, f)).find((f) => existsSync(f));
  if (found !== undefined) return found;
  throw new InputError(
    `${folder}: no ${names[0]} in it, and no ${names[0]}.gz`,
  );
}

function readBytes(file: string): Uint8Array {
  try {
    const bytes = readFileSync(file);
    // Browsers unpack a download but keep its name, so only the bytes tell.
    const packed = GZIP_MAGIC.every((byte, i) => bytes[i] === byte);
    return packed ? gunzipSync(bytes) : bytes;
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${reasonOf(error)}`);
  }
}

function checkMagic(bytes: Uint8Array, rank: number, file: string): void {
  if (bytes.length === 0) throw new InputError(`${file}: the file is empty`);
  const magic = [0, 0, UNSIGNED_BYTE, rank];
  const start = bytes.subarray(0, magic.length);
  // A file that ends within its magic number is truncated, not of another kind.
  if (start.every((byte, i) => byte === magic[i])) return;
  throw new InputError(
    `${file}: not an IDX file of this kind: it starts with ${hex(start)}, ` +
      `not with ${hex(magic)}`,
  );
}

function lengthError(file: string, expected: number, found: number): Error {
  const what = found < expected ? 'truncated' : 'too long';
  return new InputError(
    `${file}: ${what}: ${found} bytes, where its header asks for ${expected}`,
  );
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
}
