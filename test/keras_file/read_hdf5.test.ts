import {values} from '../../src/keras_file/hdf5/dataset.js';
import {readHdf5} from '../../src/keras_file/hdf5/read_hdf5.js';
import {
  decoded,
  FIXTURES,
  MADE_ANEW,
  readCases,
  unpacked,
} from './container_cases.js';

const KEPT = readCases(FIXTURES);

const MADE = MADE_ANEW === undefined ? [] : readCases(MADE_ANEW).hdf5;

describe('readHdf5', () => {
  const cases = [...KEPT.hdf5, ...MADE].map(
    (each) => [each.name, each] as const,
  );

  it.each(cases)('finds what h5py finds: %s', (_, {file, groups, datasets}) => {
    const found = readHdf5(unpacked(file), 'test');
    expect(Object.fromEntries(found.groups)).toEqual(groups);
    expect([...found.datasets.keys()].sort()).toEqual(
      Object.keys(datasets).sort(),
    );
    for (const [path, dataset] of found.datasets) {
      const expected = datasets[path];
      expect(dataset.shape).toEqual(expected?.shape);
      expect(dataset.dtype).toBe(expected?.dtype);
      expect(new Uint8Array(dataset.bytes)).toEqual(
        decoded(expected?.bytes ?? ''),
      );
      // NaN has many forms.
      const {buffer} = decoded(expected?.float32 ?? '');
      expect(values(dataset)).toEqual(new Float32Array(buffer));
    }
  });

  it.each([
    ['chunks', 'an array is compressed, in chunks'],
    ['compression', 'an array is compressed'],
    ['resizable', 'an array is compressed, in chunks'],
    ['external data', 'an array lies in another file'],
    ['virtual data', 'an array'],
    ['soft link', 'a name is a link'],
    ['external link', 'a group has links'],
    ['name beyond ASCII', 'or names beyond ASCII'],
    ['hard link', 'two names lead to one place'],
    ['cycle', 'two names lead to one place'],
    ['big-endian float', 'other than little-endian numbers'],
    ['big-endian integer', 'other than little-endian numbers'],
    ['compound type', 'other than little-endian numbers'],
    ['complex numbers', 'other than little-endian numbers'],
    ['text', 'other than little-endian numbers'],
    ['opaque', 'other than little-endian numbers'],
    ['no shape', 'an array has no shape'],
    ['committed type', 'an object is not an array'],
    ['order of creation', 'later version'],
    ['latest version', 'its HDF5 is of a later version'],
    ['version 1.10', 'its HDF5 is of a later version'],
    ['user block', 'this is not an HDF5 file'],
  ])('refuses a file with %s', (name, why) => {
    const found = KEPT.refusedHdf5.find((each) => each.name === name);
    const message = messageOf(() =>
      readHdf5(unpacked(found?.file ?? ''), 'me'),
    );
    expect(message).toMatch(
      /^me: .+; save the model again with Keras's model\.save\. Received: .+=.+$/,
    );
    expect(message).toContain(why);
  });

  it('has a reason for every file of those', () => {
    expect(KEPT.refusedHdf5).toHaveLength(22);
  });

  it('refuses a file that is cut off, wherever that is', () => {
    const whole = weights();
    for (let size = 0; size < whole.length; size += 7) {
      expect(() => readHdf5(whole.slice(0, size), 'me')).toThrow(
        /^me: .+ Received: .+=/,
      );
    }
  });

  it('takes a view into a larger array, and Node’s buffers', () => {
    const whole = weights();
    const larger = Buffer.concat([Buffer.alloc(3), whole, Buffer.alloc(5)]);
    const view = larger.subarray(3, 3 + whole.length);
    const [first] = readHdf5(view, 'test').datasets.values();
    const [expected] = readHdf5(whole, 'test').datasets.values();
    if (!first || !expected) throw new Error('no datasets');
    const numbers = values(first);
    expect(numbers).toEqual(values(expected));
    // The file's bytes are views, and values are copies.
    larger.fill(0);
    expect(first.bytes.every((byte) => byte === 0)).toBe(true);
    expect(numbers).toEqual(values(expected));
  });
});

function weights(): Uint8Array {
  const found = KEPT.hdf5.find(({name}) => name === 'weights by Keras');
  return unpacked(found?.file ?? '');
}

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}
