import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import * as fc from 'fast-check';
import {readHdf5} from '../../src/keras_file/hdf5/read_hdf5.js';
import {values} from '../../src/keras_file/hdf5/dataset.js';
import {
  type Hdf5Values,
  writeHdf5,
} from '../../src/keras_file/hdf5/write_hdf5.js';
import {writeZip} from '../../src/keras_file/zip.js';
import {MADE_ANEW} from './container_cases.js';

const array = (...numbers: number[]): Hdf5Values => ({
  shape: [numbers.length],
  values: Float32Array.from(numbers),
});

/** Names in a group: in no order, longer than 8 bytes, and beyond ASCII. */
const NAMES = fc
  .string({unit: 'grapheme', minLength: 1, maxLength: 12})
  .filter((name) => !/[/\0]/.test(name) && !/^\.\.?$/.test(name));

/** Paths of which none leads through another. */
const PATHS = fc.uniqueArray(fc.array(NAMES, {minLength: 1, maxLength: 4}), {
  maxLength: 60,
  selector: (path) => path.join('/'),
});

/** The names of types, as NumPy has them. */
const DTYPES = new Map<unknown, string>([
  [Float32Array, 'float32'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
]);

/** Arrays of every type that is written, of ranks up to 4. */
const ARRAYS: fc.Arbitrary<Hdf5Values> = fc
  .tuple(
    fc.array(fc.nat(4), {maxLength: 4}),
    fc.constantFrom('float32', 'int32', 'int64'),
    fc.integer({min: 1, max: 2 ** 31 - 1}),
  )
  .map(([shape, dtype, step]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const value = (i: number): number => ((i * step) % 2 ** 31) - 2 ** 30;
    const numbers = Array.from({length}, (_, i) => value(i));
    if (dtype === 'int64') {
      const squares = numbers.map((number) => BigInt(number) ** 2n);
      return {shape, values: BigInt64Array.from(squares)};
    }
    return {
      shape,
      values:
        dtype === 'int32'
          ? Int32Array.from(numbers)
          : Float32Array.from(numbers, (number) => number / 7),
    };
  });

const TEXTS = fc.dictionary(
  NAMES,
  fc
    .string({unit: 'grapheme', maxLength: 300})
    .filter((text) => !text.includes('\0')),
);

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('base64');

/** `npm run test:keras` has h5py and Python read them: judge_container.py. */
(MADE_ANEW === undefined ? describe.skip : describe)('files for h5py', () => {
  it('of every type, in archives', () => {
    const files = fc
      .array(fc.tuple(PATHS, ARRAYS, TEXTS), {maxLength: 3})
      .map((parts) => {
        const datasets = new Map<string, Hdf5Values>();
        const groups = new Map<string, Record<string, string>>([['', {}]]);
        parts.forEach(([paths, values, texts], part) => {
          groups.set(`part ${part}`, texts);
          for (const path of paths) {
            datasets.set([`part ${part}`, ...path, 'array '].join('/'), values);
          }
        });
        return {datasets, groups};
      });
    const cases = fc
      .sample(files, {numRuns: 100, seed: 16})
      .map(({datasets, groups}, i) => {
        const file = writeHdf5(datasets, groups);
        const archive = writeZip(
          new Map([
            ['config.json', Buffer.from('{}')],
            ['model.weights.h5', file],
          ]),
        );
        return {
          name: `sample ${i}`,
          archive: base64(gzipSync(archive)),
          groups: Object.fromEntries(groups),
          datasets: Object.fromEntries(
            [...datasets].map(
              ([
                path,
                {
                  shape,
                  values: {buffer, constructor},
                },
              ]) => [
                path,
                {
                  shape,
                  dtype: DTYPES.get(constructor),
                  bytes: base64(new Uint8Array(buffer)),
                },
              ],
            ),
          ),
        };
      });
    const file = join(MADE_ANEW ?? '', 'container_written.json');
    writeFileSync(file, JSON.stringify(cases));
  });
});

describe('writeHdf5', () => {
  it('writes what readHdf5 reads', () => {
    fc.assert(
      fc.property(PATHS, fc.dictionary(NAMES, fc.string()), (paths, texts) => {
        const datasets = new Map(
          paths.map((path, i) => [[...path, 'vars '].join('/'), array(i, -i)]),
        );
        const clean = Object.fromEntries(
          Object.entries(texts).filter(([, text]) => !text.includes('\0')),
        );
        const groups = new Map([
          ['', clean],
          ['a group/in it', {name: 'é'}],
        ]);
        const read = readHdf5(writeHdf5(datasets, groups), 'test');
        expect([...read.datasets.keys()].sort()).toEqual(
          [...datasets.keys()].sort(),
        );
        for (const [path, {shape, values: wanted}] of datasets) {
          const found = read.datasets.get(path);
          expect(found && {...found, values: values(found)}).toMatchObject({
            shape,
            dtype: 'float32',
            values: wanted,
          });
        }
        expect(read.groups.get('')).toEqual(clean);
        expect(read.groups.get('a group/in it')).toEqual({name: 'é'});
      }),
    );
  });

  it('writes groups of more names than a node has', () => {
    // 8 fit a leaf and 32 a node: two levels above the leaves.
    const datasets = new Map(
      Array.from({length: 700}, (_, i) => [`vars/${i}`, array(i)] as const),
    );
    const read = readHdf5(writeHdf5(datasets), 'test');
    for (let i = 0; i < 700; i++) {
      const found = read.datasets.get(`vars/${i}`);
      expect(found && Array.from(values(found))).toEqual([i]);
    }
  });

  it('writes numbers, integers and empty arrays', () => {
    const read = readHdf5(
      writeHdf5(
        new Map<string, Hdf5Values>([
          ['count', {shape: [], values: BigInt64Array.of(-5n)}],
          ['classes', {shape: [2, 1], values: Int32Array.of(-7, 2 ** 31 - 1)}],
          ['none', {shape: [0, 3], values: new Float32Array(0)}],
        ]),
      ),
      'test',
    );
    const found = [...read.datasets].map(([path, dataset]) => [
      path,
      dataset.shape,
      dataset.dtype,
      Array.from(values(dataset)),
    ]);
    expect(found).toEqual([
      ['classes', [2, 1], 'int32', [-7, 2 ** 31]],
      ['count', [], 'int64', [-5]],
      ['none', [0, 3], 'float32', []],
    ]);
  });

  it('writes the same bytes for the same contents', () => {
    const first = writeHdf5(
      new Map([
        ['b/x', array(1)],
        ['a', array(2)],
      ]),
    );
    const second = writeHdf5(
      new Map([
        ['a', array(2)],
        ['b/x', array(1)],
      ]),
    );
    expect(second).toEqual(first);
  });

  it('refuses a shape of another size, and two things of one path', () => {
    expect(() =>
      writeHdf5(new Map([['a', {...array(1, 2), shape: [3]}]])),
    ).toThrow('writeHdf5: a shape must fit its 2 values. Received: shape=[3]');
    for (const paths of [['a', 'a/b'], ['a/b', 'a'], [''], ['a//b'], ['/a']]) {
      const datasets = new Map(paths.map((path) => [path, array(1)]));
      expect(() => writeHdf5(datasets)).toThrow(
        /^writeHdf5: a path must name one thing\. Received: path="/,
      );
    }
  });
});
