import {deflateRawSync} from 'node:zlib';
import * as fc from 'fast-check';
import {readZip, writeZip} from '../../src/keras_file/zip.js';
import {FIXTURES, readCases, unpacked} from './container_cases.js';

const KEPT = readCases(FIXTURES);

const text = (bytes: string): Uint8Array => new Uint8Array(Buffer.from(bytes));

const MEMBERS = new Map([
  ['metadata.json', text('{}')],
  ['model.weights.h5', text('weights')],
  ['assets/é.txt', text('')],
]);

/** Where numbers stand in the first entry of the directory of an archive. */
const ENTRY = {flags: 8, method: 10, crc: 16, packed: 20, size: 24, local: 42};

/** The archive of MEMBERS with a byte changed in the first entry of its directory. */
function withByte(place: number, byte: number): Uint8Array {
  const bytes = writeZip(MEMBERS);
  const directory = Buffer.from(bytes).indexOf('PK\x01\x02');
  bytes[directory + place] = byte;
  return bytes;
}

describe('readZip', () => {
  it.each(KEPT.archives.map((each) => [each.name, each] as const))(
    'finds what Python finds: %s',
    (_, {file, members}) => {
      const found = readZip(unpacked(file), 'test');
      expect([...found.keys()]).toEqual(Object.keys(members));
      for (const [name, bytes] of found) {
        expect(new Uint8Array(bytes)).toEqual(unpacked(members[name] ?? ''));
      }
    },
  );

  it.each([
    ['bzip2', 'is compressed, which Keras does not write', 'method=12'],
    ['bomb', 'a would take 1015 times what it takes packed', 'size=1000000'],
  ])('refuses an archive with %s', (name, why, received) => {
    const found = KEPT.refusedArchives.find((each) => each.name === name);
    const read = (): unknown => readZip(unpacked(found?.file ?? ''), 'me');
    expect(read).toThrow(why);
    expect(read).toThrow(
      `; save the model again with Keras's model.save. Received: ${received}`,
    );
  });

  it('refuses a member that gives more than it says, without inflating it', () => {
    const zeros = deflateRawSync(new Uint8Array(2 ** 26));
    const bytes = Buffer.from(writeZip(new Map([['a', zeros]])));
    const directory = bytes.indexOf('PK\x01\x02');
    bytes.writeUInt16LE(8, directory + ENTRY.method);
    bytes.writeUInt32LE(1000, directory + ENTRY.size);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => readZip(bytes, 'me')).toThrow('a fails its checksum');
    const after = process.memoryUsage().arrayBuffers;
    expect(after - before).toBeLessThan(2 ** 25);
  });

  it.each([
    ['is not a zip archive', text('not an archive, but text'), 'not a .keras'],
    ['is empty', text(''), 'not a .keras file'],
    [
      'is an HDF5 file',
      text('\x89HDF\r\n\x1a\n and so on, and so on'),
      'not a',
    ],
    ['is encrypted', withByte(ENTRY.flags, 1), 'is encrypted'],
    ['has another checksum', withByte(ENTRY.crc, 1), 'fails its checksum'],
    ['has another size', withByte(ENTRY.size, 3), 'fails its checksum'],
    [
      'has another packed size',
      withByte(ENTRY.packed, 1),
      'fails its checksum',
    ],
    [
      'takes more than there is',
      withByte(ENTRY.packed + 2, 1),
      'members overlap',
    ],
    ['is elsewhere', withByte(ENTRY.local, 3), 'a member is missing'],
    ['is beyond the end', withByte(ENTRY.local + 3, 9), 'a member is missing'],
    ['has another name', withByte(46, 0x6e), 'a member has two names'],
  ])('refuses a file that %s', (_, bytes, why) => {
    const read = (): unknown => readZip(bytes, 'me');
    expect(read).toThrow(why);
    expect(read).toThrow(/^me: .+model\.save.* Received: .+=/);
  });

  /** The archive of MEMBERS with 16 bits changed, so far from a signature's last place. */
  const with16 = (signature: string, place: number, value: number): Buffer => {
    const bytes = Buffer.from(writeZip(MEMBERS));
    bytes.writeUInt16LE(value, bytes.lastIndexOf(signature) + place);
    return bytes;
  };

  it.each([
    ['is in the format ZIP64', with16('PK\x05\x06', 10, 0xffff), 'ZIP64'],
    [
      'has another number of members',
      with16('PK\x05\x06', 10, 7),
      'its directory is not whole',
    ],
    [
      'has a directory that begins elsewhere',
      with16('PK\x05\x06', 16, 1),
      'its directory is not whole',
    ],
    [
      'has a member that reaches into the directory',
      with16('PK\x03\x04', 28, 60000),
      'a member reaches past its end',
    ],
  ])('refuses a file that %s', (_, bytes, why) => {
    const read = (): unknown => readZip(bytes, 'me');
    expect(read).toThrow(why);
    expect(read).toThrow(/^me: .+model\.save.* Received: .+=/);
  });

  it('refuses two members of one name', () => {
    const bytes = Buffer.from(
      writeZip(
        new Map([
          ['a', text('1')],
          ['b', text('2')],
        ]),
      ),
    );
    const twice = Buffer.from(
      bytes.toString('latin1').replaceAll('b', 'a'),
      'latin1',
    );
    expect(() => readZip(twice, 'me')).toThrow(
      'me: the file is damaged or cut off, as two members have one name; save the model again with Keras\'s model.save. Received: member="a"',
    );
  });

  it('refuses a flipped bit in any member', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(7), (place, bit) => {
        const bytes = writeZip(MEMBERS);
        const found = Buffer.from(bytes).indexOf('weightsPK');
        expect(found).toBeGreaterThan(0);
        bytes[found + place] = (bytes[found + place] ?? 0) ^ (1 << bit);
        expect(() => readZip(bytes, 'me')).toThrow(
          'model.weights.h5 fails its checksum',
        );
      }),
    );
  });

  it('refuses a file that is cut off, wherever that is', () => {
    const whole = writeZip(MEMBERS);
    for (let size = 0; size < whole.length; size++) {
      expect(() => readZip(whole.slice(0, size), 'me')).toThrow(
        /^me: .+model\.save.* Received: .+=/,
      );
    }
  });

  it('gives views of members that are stored', () => {
    const bytes = writeZip(MEMBERS);
    const member = readZip(bytes, 'test').get('model.weights.h5');
    expect(member?.buffer).toBe(bytes.buffer);
  });
});

describe('writeZip', () => {
  it('writes what readZip reads, in order, and always the same bytes', () => {
    const names = fc.string({unit: 'grapheme', maxLength: 20});
    const members = fc
      .uniqueArray(fc.tuple(names, fc.uint8Array()), {
        selector: ([name]) => name,
      })
      .map((pairs) => new Map(pairs));
    fc.assert(
      fc.property(members, (map) => {
        const bytes = writeZip(map);
        expect(writeZip(map)).toEqual(bytes);
        const found = readZip(bytes, 'test');
        expect([...found.keys()]).toEqual([...map.keys()]);
        for (const [name, member] of found) {
          expect(new Uint8Array(member)).toEqual(map.get(name));
        }
      }),
    );
  });
});
