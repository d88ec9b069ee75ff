// Files made to take a reader's time or memory.
import {readHdf5} from '../../src/keras_file/hdf5/read_hdf5.js';
import {
  type Hdf5Values,
  writeHdf5,
} from '../../src/keras_file/hdf5/write_hdf5.js';

const ONE: Hdf5Values = {shape: [1], values: Float32Array.of(1)};

const datasets = (count: number): Map<string, Hdf5Values> =>
  new Map(Array.from({length: count}, (_, i) => [`vars/${i}`, ONE]));

/** A file to change: where signatures stand, and 64-bit numbers. */
class Edited {
  private readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
  }

  /** Returns the place of the n-th occurrence of a text. */
  find(text: string, n = 0): number {
    let place = -1;
    for (let i = 0; i <= n; i++) {
      place = this.bytes.indexOf(text, place + 1, 'latin1');
    }
    if (place < 0) throw new Error(`no ${text}`);
    return place;
  }

  get(place: number): number {
    return Number(this.bytes.readBigUInt64LE(place));
  }

  set(place: number, value: number | bigint): this {
    this.bytes.writeBigUInt64LE(BigInt(value), place);
    return this;
  }

  read(): unknown {
    return readHdf5(this.bytes, 'me');
  }
}

/** Where a node keeps its first child, and where a leaf keeps entries. */
const NODE = {child: 32, next: 16};
const LEAF = {entries: 8, size: 40, header: 8};

describe('readHdf5 refuses', () => {
  it('a node of a tree that holds itself', () => {
    const file = new Edited(writeHdf5(datasets(3)));
    const tree = file.find('TREE');
    file.set(tree + NODE.child, tree);
    expect(() => file.read()).toThrow(
      'me: two names lead to one place, which Keras does not write; save the model again with Keras\'s model.save. Received: path="vars"',
    );
  });

  it('a tree that reaches one leaf by many ways', () => {
    const file = new Edited(writeHdf5(datasets(100)));
    const tree = file.find('TREE');
    const first = file.get(tree + NODE.child);
    file.set(tree + NODE.child + NODE.next, first);
    expect(() => file.read()).toThrow('two names lead to one place');
  });

  it('a group that holds itself', () => {
    const file = new Edited(writeHdf5(new Map([['a/b/c', ONE]])));
    // The leaf of b holds c, that of a holds b, that of the root a.
    const b = file.get(file.find('SNOD', 1) + LEAF.entries + LEAF.header);
    file.set(file.find('SNOD', 0) + LEAF.entries + LEAF.header, b);
    expect(() => file.read()).toThrow('two names lead to one place');
  });

  it('a header that goes on in itself', () => {
    const file = new Edited(
      writeHdf5(new Map(), new Map([['', {name: 'some text'}]])),
    );
    const header = file.get(64);
    // A message of type 0x10 with 16 bytes, in the place of the attribute: a block.
    const attribute = header + 16 + 24;
    file.set(attribute, (16 << 16) | 0x10);
    file.set(attribute + 8, attribute).set(attribute + 16, 24);
    // Many messages, of which the first block holds two.
    file.set(header, 0x1_ffff_0001).set(header + 8, 48);
    expect(() => file.read()).toThrow('two names lead to one place');
  });

  it.each([2 ** 20, 2 ** 40, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n])(
    'a shape larger than the file: %s',
    (length) => {
      const file = new Edited(writeHdf5(new Map([['a', ONE]])));
      // The message: version 1, of rank 1; then the length.
      const space = file.find('\x01\x00\x10\x00\x00\x00\x00\x00\x01\x01');
      file.set(space + 16, length);
      expect(() => file.read()).toThrow(
        /^me: the file is damaged or cut off, as a is larger than the file; .+ Received: length=/,
      );
    },
  );

  it('an empty shape of any length along another axis', () => {
    const none = {shape: [0, 1], values: new Float32Array(0)};
    const file = new Edited(writeHdf5(new Map([['a', none]])));
    const space = file.find('\x01\x00\x18\x00\x00\x00\x00\x00\x01\x02');
    file.set(space + 24, 2 ** 40);
    expect(() => file.read()).toThrow('a is larger than the file');
  });

  it.each([33, 255])('a shape of %i axes', (rank) => {
    const file = new Edited(writeHdf5(new Map([['a', ONE]])));
    const space = file.find('\x01\x00\x10\x00\x00\x00\x00\x00\x01\x01');
    file.set(space + 8, 1 | (rank << 8));
    expect(() => file.read()).toThrow('a has no such shape');
  });

  it('two names that are one', () => {
    const file = new Edited(writeHdf5(datasets(2)));
    // The second entry of the leaf has the first one's name.
    const entries = file.find('SNOD') + LEAF.entries;
    file.set(entries + LEAF.size, file.get(entries));
    expect(() => file.read()).toThrow('a name comes twice');
  });

  it('a text that is in no heap', () => {
    const file = new Edited(
      writeHdf5(new Map(), new Map([['', {name: 'some text'}]])),
    );
    file.set(file.find('GCOL'), 0);
    expect(() => file.read()).toThrow('an attribute has no text');
  });

  it.each<[string, (message: number) => number, string]>([
    [
      'of no type',
      (message) => message - (message & 0xffff) + 0x18,
      'a header has a message of no type',
    ],
    [
      'that is shared',
      (message) => message + 2 * 2 ** 32,
      'an object shares its header',
    ],
  ])('a message %s', (_, change, why) => {
    const file = new Edited(
      writeHdf5(new Map(), new Map([['', {name: 'some text'}]])),
    );
    const first = file.get(64) + 16;
    file.set(first, change(file.get(first)));
    expect(() => file.read()).toThrow(why);
  });

  it('texts that together take more than the file', () => {
    // 500 attributes of 72 bytes refer to one text: 2 MB.
    const text = 'x'.repeat(4000);
    const names = Array.from({length: 500}, (_, i) => [`a${i}`, text]);
    const texts = Object.fromEntries(names) as Record<string, string>;
    const file = new Edited(writeHdf5(new Map(), new Map([['', texts]])));
    expect(() => file.read()).toThrow(
      /^me: the file is damaged or cut off, as it refers to the same places over and over; .+ Received: size=\d+$/,
    );
  });

  it('a path that is too long, and reads a long one', () => {
    const long = Array.from({length: 40}, (_, i) => `${i}`.padEnd(95, 'x'));
    const deep = long.join('/');
    const names = Array.from({length: 300}, (_, i) => `${deep}/${i}`);
    expect(() =>
      new Edited(writeHdf5(new Map(names.map((name) => [name, ONE])))).read(),
    ).not.toThrow();
    const deeper = names.map((name) => [`${deep}/${name}`, ONE] as const);
    expect(() => new Edited(writeHdf5(new Map(deeper))).read()).toThrow(
      /^me: a path is too long, which Keras does not write; .+ Received: bytes=/,
    );
  });
});
