import * as fc from 'fast-check';
import {readHdf5} from '../../src/keras_file/hdf5/read_hdf5.js';
import {values} from '../../src/keras_file/hdf5/dataset.js';
import {
  type Hdf5Values,
  writeHdf5,
} from '../../src/keras_file/hdf5/write_hdf5.js';

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
