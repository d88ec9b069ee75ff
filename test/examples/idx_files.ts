import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';

/** Encodes an IDX file, after http://yann.lecun.com/exdb/mnist/. */
export function encodeIdx(
  shape: readonly number[],
  values: ArrayLike<number>,
): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt8(8, 2);
  header.writeUInt8(shape.length, 3);
  shape.forEach((length, i) => header.writeUInt32BE(length, 4 + 4 * i));
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** The sizes of the parts of a data set. */
export interface Counts {
  readonly train: number;
  readonly t10k: number;
}

/**
 * Writes a data set of ten classes that are easy to tell apart: in an image of
 * 4 by 3 the pixel at the label's position is white. The labels are gzipped,
 * and the validation labels have a dot in their name.
 */
export function writeIdxFolder(folder: string, {train, t10k}: Counts): void {
  writePart(
    folder,
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
    train,
  );
  writePart(folder, 't10k-images-idx3-ubyte', 't10k-labels.idx1-ubyte', t10k);
}

function writePart(
  folder: string,
  imageFile: string,
  labelFile: string,
  count: number,
): void {
  const labels = Array.from({length: count}, (_, i) => i % 10);
  const pixels = labels.flatMap((label) =>
    Array.from({length: 12}, (_, i) => (i === label ? 255 : 0)),
  );
  writeFileSync(join(folder, imageFile), encodeIdx([count, 4, 3], pixels));
  const packed = gzipSync(encodeIdx([count], labels));
  writeFileSync(join(folder, `${labelFile}.gz`), packed);
}
