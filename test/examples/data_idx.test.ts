import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import * as fc from 'fast-check';
import {parseIdx, readIdxFolder} from '../../examples/digits/data_idx.js';
import {InputError} from '../../tools/errors.js';
import {newFolder} from './digits_program.js';
import {encodeIdx, writeIdxFolder} from './idx_files.js';

const arrays = fc
  .array(fc.integer({min: 0, max: 5}), {minLength: 1, maxLength: 4})
  .chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = fc.uint8Array({minLength: length, maxLength: length});
    return fc.record({shape: fc.constant(shape), values});
  });

describe('parseIdx', () => {
  it('reads what was written', () => {
    fc.assert(
      fc.property(arrays, ({shape, values}) => {
        const bytes = encodeIdx(shape, values);
        const idx = parseIdx(bytes, shape.length, 'x');
        expect(idx.shape).toEqual(shape);
        expect([...idx.values]).toEqual([...values]);
      }),
    );
  });

  it('refuses every file that is shorter or longer than its header says', () => {
    fc.assert(
      fc.property(arrays, fc.nat(), ({shape, values}, n) => {
        const bytes = encodeIdx(shape, values);
        const cut = bytes.subarray(0, n % bytes.length);
        const more = Buffer.concat([bytes, Buffer.alloc(1 + (n % 3))]);
        const rank = shape.length;
        expect(() => parseIdx(cut, rank, 'x')).toThrow(/truncated|empty/);
        expect(() => parseIdx(more, rank, 'x')).toThrow('too long');
      }),
    );
  });

  it.each([
    ['another type', [0, 0, 9, 3], 'starts with 00 00 09 03, not with'],
    ['another rank', [0, 0, 8, 1], 'starts with 00 00 08 01, not with'],
    ['a picture', [0x89, 0x50, 0x4e, 0x47], 'starts with 89 50 4e 47'],
    ['nothing', [], 'x: the file is empty'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(Uint8Array.from(bytes), 3, 'x')).toThrow(message);
  });

  it('refuses a header that asks for more than there is', () => {
    const bytes = encodeIdx([0xffffffff, 0xffffffff, 0xffffffff], []);
    expect(() => parseIdx(bytes, 3, 'x')).toThrow('truncated');
  });
});

describe('readIdxFolder', () => {
  let folder: string;

  beforeEach(() => {
    folder = newFolder();
    writeIdxFolder(folder, {train: 20, t10k: 10});
  });

  afterEach(() => rmSync(folder, {recursive: true}));

  const write = (name: string, bytes: Uint8Array): void =>
    writeFileSync(join(folder, name), bytes);

  it('reads plain and gzipped files, with a hyphen or a dot', () => {
    const {training, validation} = readIdxFolder(folder);
    expect(training.size).toBe(12);
    expect(training.labels).toHaveLength(20);
    expect([...validation.labels]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    // The third image has its third pixel white.
    const third = [...validation.pixels.subarray(24, 36)];
    expect(third).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('recognizes gzipped files by their bytes, not by their name', () => {
    const images = encodeIdx([20, 4, 3], new Uint8Array(240));
    write('train-images-idx3-ubyte', gzipSync(images));
    expect(readIdxFolder(folder).training.labels).toHaveLength(20);
  });

  it('names the file that is missing', () => {
    rmSync(join(folder, 't10k-images-idx3-ubyte'));
    expect(() => readIdxFolder(folder)).toThrow(InputError);
    expect(() => readIdxFolder(folder)).toThrow(
      `${folder}: no t10k-images-idx3-ubyte in it`,
    );
  });

  it.each([
    [
      'a gzip file that is cut short',
      gzipSync('abc').subarray(0, 12),
      'cannot',
    ],
    [
      'more labels than images',
      encodeIdx([21], new Uint8Array(21)),
      '21 labels',
    ],
    [
      'a label of 10',
      encodeIdx([20], new Uint8Array(20).fill(10, 4)),
      'label 5',
    ],
  ])('refuses %s', (_, bytes, message) => {
    const name = 'train-labels-idx1-ubyte.gz';
    write(name, bytes);
    expect(() => readIdxFolder(folder)).toThrow(InputError);
    expect(() => readIdxFolder(folder)).toThrow(join(folder, name));
    expect(() => readIdxFolder(folder)).toThrow(message);
  });

  it('refuses validation images of another size', () => {
    write('t10k-images-idx3-ubyte', encodeIdx([10, 1, 2], new Uint8Array(20)));
    expect(() => readIdxFolder(folder)).toThrow(
      'images have 12 pixels, the validation',
    );
  });

  it('refuses files without images', () => {
    write('train-images-idx3-ubyte', encodeIdx([0, 4, 3], []));
    expect(() => readIdxFolder(folder)).toThrow('there are no images in it');
  });
});
