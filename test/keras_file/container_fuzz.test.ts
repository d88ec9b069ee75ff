// Reads files with arbitrary changes: each is read, or refused with a reason, and takes
// work in proportion to its size.
import * as fc from 'fast-check';
import {values} from '../../src/keras_file/hdf5/dataset.js';
import {readHdf5} from '../../src/keras_file/hdf5/read_hdf5.js';
import {writeHdf5} from '../../src/keras_file/hdf5/write_hdf5.js';
import {readZip} from '../../src/keras_file/zip.js';
import {backend} from '../support/backend.js';
import {FIXTURES, readCases, unpacked} from './container_cases.js';

/** Nothing is computed on a backend. */
const RUNS = backend === 'cpu' ? 20_000 : 200;

/** Numbers read from a file for each of its bytes, and for a file at least. */
const MOST_READS = {perByte: 16, more: 65_536};

/** An archive or an HDF5 file. */
interface Seed {
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => void;
  /** Places of bytes other than 0, where changes matter most. */
  readonly places: readonly number[];
}

const KEPT = readCases(FIXTURES);

const seed = (bytes: Uint8Array, read: Seed['read']): Seed => ({
  bytes,
  read,
  places: [...bytes.keys()].filter((place) => bytes[place] !== 0),
});

/** A change to an archive is found by a checksum, if it is not in the directory. */
const SEEDS = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      seed(writtenHere(), readWeights),
      ...KEPT.hdf5.map(({file}) => seed(unpacked(file), readWeights)),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...KEPT.archives.map(({file}) => seed(unpacked(file), readArchive)),
      ...KEPT.refusedHdf5.map(({file}) => seed(unpacked(file), readWeights)),
    ),
  },
);

type Change = (bytes: Uint8Array, places: readonly number[]) => Uint8Array;

const UNIT = fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true});

/** Changes at a place that is a fraction of the way through the file. */
const CHANGES: fc.Arbitrary<Change> = fc.oneof(
  // Flips a bit.
  fc.tuple(UNIT, fc.nat(7)).map(([at, bit]): Change => (bytes, places) => {
    const place = pick(places, at);
    bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
    return bytes;
  }),
  // Cuts the file off.
  UNIT.map(
    (at): Change =>
      (bytes, places) =>
        bytes.slice(0, pick(places, at)),
  ),
  // Takes a part out, which moves the rest.
  fc
    .tuple(UNIT, fc.integer({min: 1, max: 16}))
    .map(([at, count]): Change => (bytes, places) => {
      const place = pick(places, at);
      const rest = bytes.slice(place + count);
      return Uint8Array.of(...bytes.slice(0, place), ...rest);
    }),
  // Sets a size or an offset: to 0, to a few, to the end, to all bits.
  fc
    .tuple(UNIT, fc.constantFrom(1, 2, 4, 8), numbers())
    .map(([at, size, number]): Change => (bytes, places) => {
      const place = pick(places, at);
      const value = number(bytes, places);
      for (let i = 0; i < size && place + i < bytes.length; i++) {
        bytes[place + i] = Math.floor(value / 256 ** i) % 256;
      }
      return bytes;
    }),
  // Copies a part to another place, of the same alignment.
  fc
    .tuple(UNIT, UNIT, fc.integer({min: 1, max: 100}))
    .map(([from, to, count]): Change => (bytes, places) => {
      const source = 8 * Math.floor(pick(places, from) / 8);
      const target = 8 * Math.floor(pick(places, to) / 8);
      bytes.copyWithin(target, source, source + 8 * count);
      return bytes;
    }),
);

/** Gives sizes and offsets, most of them such as the file has. */
function numbers(): fc.Arbitrary<
  (bytes: Uint8Array, places: readonly number[]) => number
> {
  return fc.oneof(
    fc.nat(40).map((value) => () => value),
    fc.nat(40).map(
      (less) =>
        ({length}: Uint8Array) =>
          length - less,
    ),
    UNIT.map((at) => (_: Uint8Array, places: readonly number[]) => {
      return 8 * Math.floor(pick(places, at) / 8);
    }),
    fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 53, 2 ** 63).map((n) => () => n),
  );
}

function pick(places: readonly number[], at: number): number {
  return places[Math.floor(at * places.length)] ?? 0;
}

describe('a container with something changed in it', () => {
  it('is read, or refused with a reason, by work that its size bounds', () => {
    const outcomes = {read: 0, refused: 0};
    const changes = fc.array(CHANGES, {minLength: 1, maxLength: 2});
    const reads = countReads();
    try {
      fc.assert(
        fc.property(SEEDS, changes, (of, list) => {
          const bytes = list.reduce<Uint8Array>(
            (changed, change) => change(changed, of.places),
            of.bytes.slice(),
          );
          reads.count = 0;
          const message = messageOf(() => of.read(bytes));
          if (message === undefined) outcomes.read += 1;
          else {
            outcomes.refused += 1;
            if (!/^fuzz: .+ Received: .+=/.test(message)) {
              throw new Error(`not an error of ours: ${message}`);
            }
          }
          const {perByte, more} = MOST_READS;
          if (reads.count > perByte * bytes.length + more) {
            throw new Error(`${reads.count} reads of ${bytes.length} bytes`);
          }
        }),
        {numRuns: RUNS, seed: 16},
      );
    } finally {
      reads.restore();
    }
    // Otherwise only one of both would be tested.
    expect(outcomes.read).toBeGreaterThan(RUNS / 20);
    expect(outcomes.refused).toBeGreaterThan(RUNS / 5);
  }, 600_000);
});

function readWeights(bytes: Uint8Array): void {
  for (const dataset of readHdf5(bytes, 'fuzz').datasets.values()) {
    values(dataset);
  }
}

function readArchive(bytes: Uint8Array): void {
  for (const [name, member] of readZip(bytes, 'fuzz')) {
    if (name.endsWith('.h5')) readWeights(member);
  }
}

/** Trees of two levels and attributes, as writeHdf5 lays them out. */
function writtenHere(): Uint8Array {
  const dataset = {shape: [1], values: Float32Array.of(1)};
  const paths = Array.from({length: 40}, (_, i) => `vars/${i}`);
  return writeHdf5(
    new Map(paths.map((path) => [path, dataset])),
    new Map([['vars', {name: 'dense', other: 'text'}]]),
  );
}

const GETTERS = ['getUint8', 'getUint16', 'getUint32'] as const;

/** Counts the numbers that are read through any DataView, until it is restored. */
function countReads(): {count: number; restore: () => void} {
  const originals = GETTERS.map(
    (name) =>
      [
        name,
        Object.getOwnPropertyDescriptor(DataView.prototype, name),
      ] as const,
  );
  const counter = {
    count: 0,
    restore: () => {
      for (const [name, descriptor] of originals) {
        Object.defineProperty(DataView.prototype, name, descriptor ?? {});
      }
    },
  };
  for (const [name, descriptor] of originals) {
    const original = descriptor?.value as (...args: unknown[]) => number;
    const value = function (this: DataView, ...args: unknown[]): number {
      counter.count += 1;
      return original.apply(this, args);
    };
    Object.defineProperty(DataView.prototype, name, {...descriptor, value});
  }
  return counter;
}

function messageOf(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : `thrown: ${String(error)}`;
  }
}
