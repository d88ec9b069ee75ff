// Writes HDF5 as h5py does for Keras. read_hdf5.ts names the format's specification.
import {util} from '@tensorflow/tfjs-core';
import {refusal} from '../../util/received.js';
import {join, pack, u16, u32, u64, u8} from '../pack.js';
import {type Hdf5Attributes, sizeOf} from './dataset.js';
import {integer, TYPE, typeOf} from './datatype.js';
import {MESSAGE, SIGNATURE} from './format.js';

/** An array of numbers to write. */
export interface Hdf5Values {
  /** Empty for one number. */
  readonly shape: readonly number[];
  /** In row-major order. */
  readonly values: Float32Array | Int32Array | BigInt64Array;
}

/** HDF5's defaults: half the most entries of a leaf and of a node of a group's tree. */
const LEAF_K = 4;
const NODE_K = 16;

const SUPERBLOCK_SIZE = 96;
const LEAF_SIZE = 8 + 40 * 2 * LEAF_K;
const NODE_SIZE = 24 + 8 * (4 * NODE_K + 1);

/** The size of a collection of texts, the least that HDF5 reads. */
const COLLECTION_SIZE = 4096;

/** The size of the header of a collection, of a text and of the space after them. */
const HEAP_HEADER = 16;

/** 64 set bits: the address of nothing. */
const NOWHERE = new Uint8Array(8).fill(255);

interface Group {
  readonly attributes: Hdf5Attributes;
  readonly children: Map<string, Group | Hdf5Values>;
}

/** The addresses of an object's header, and of a group's parts. */
interface Written {
  readonly header: number;
  readonly group?: {readonly tree: number; readonly heap: number};
}

/** A child of a node of a tree, and the place of the largest name below it. */
interface Child {
  readonly address: number;
  readonly last: number;
}

/**
 * Writes arrays into an HDF5 file, into groups by their paths (`layers/dense/vars/0`), each
 * in one piece. `groups` gives attributes of groups by their paths; the root's is ''. A
 * group in it is written even if it holds nothing. h5py and Keras read the file.
 *
 * Throws if an array has not as many values as its shape says, or if two things have one
 * path.
 */
export function writeHdf5(
  datasets: ReadonlyMap<string, Hdf5Values>,
  groups: ReadonlyMap<string, Hdf5Attributes> = new Map(),
): Uint8Array {
  return new Hdf5Writer(groups).write(rootOf(datasets, groups));
}

/** Sorts arrays into groups. */
function rootOf(
  datasets: ReadonlyMap<string, Hdf5Values>,
  groups: ReadonlyMap<string, Hdf5Attributes>,
): Group {
  const groupAt = (path: string): Group => {
    const found = made.get(path);
    if (found) return found;
    const group = {attributes: groups.get(path) ?? {}, children: new Map()};
    made.set(path, group);
    put(path, group);
    return group;
  };
  const put = (path: string, child: Group | Hdf5Values): void => {
    const slash = path.lastIndexOf('/');
    const {children} = groupAt(path.slice(0, Math.max(slash, 0)));
    const name = path.slice(slash + 1);
    if (slash === 0 || name === '' || children.has(name)) {
      throw refusal('writeHdf5', 'a path must name one thing', 'path', path);
    }
    children.set(name, child);
  };
  const root = {attributes: groups.get('') ?? {}, children: new Map()};
  const made = new Map<string, Group>([['', root]]);
  for (const path of groups.keys()) groupAt(path);
  for (const [path, dataset] of datasets) put(path, dataset);
  return root;
}

/** Writes a file from its beginning: what refers to something comes after it. */
class Hdf5Writer {
  private readonly parts: Uint8Array[] = [new Uint8Array(SUPERBLOCK_SIZE)];
  private size = SUPERBLOCK_SIZE;
  /** For each text of an attribute, the reference to it. */
  private readonly references = new Map<string, Uint8Array>();

  constructor(groups: ReadonlyMap<string, Hdf5Attributes>) {
    const texts = [...groups.values()].flatMap((texts) => Object.values(texts));
    this.writeTexts(new Set(texts));
  }

  write(root: Group): Uint8Array {
    const {header, group} = this.writeGroup(root);
    const superblock = pack(
      ...[SIGNATURE, u32(0), u8(0), u8(8), u8(8), u8(0)],
      ...[u16(LEAF_K), u16(NODE_K), u32(0)],
      ...[u64(0), NOWHERE, u64(this.size), NOWHERE],
      entryOf(0, {header, group}),
    );
    return join([superblock, ...this.parts.slice(1)]);
  }

  /** Appends bytes, filled up to 8, and returns their address. */
  private add(bytes: Uint8Array): number {
    const address = this.size;
    const size = filled(bytes.length);
    this.parts.push(bytes, new Uint8Array(size - bytes.length));
    this.size += size;
    return address;
  }

  private writeObject(object: Group | Hdf5Values): Written {
    return 'children' in object
      ? this.writeGroup(object)
      : {header: this.writeDataset(object)};
  }

  private writeGroup({children, attributes}: Group): Written {
    const sorted = [...children]
      .map(([name, child]) => ({name: util.encodeString(name), child}))
      .sort((a, b) => compareBytes(a.name, b.name));
    // The heap's first 8 bytes are an empty name.
    let place = 8;
    const entries = sorted.map(({name, child}) => {
      const last = place;
      place += filled(name.length + 1);
      return {last, bytes: entryOf(last, this.writeObject(child))};
    });
    const names = sorted.map(({name}) => fill(join([name, u8(0)])));
    const data = this.add(join([new Uint8Array(8), ...names]));
    // Nothing of it is free, which 1 says.
    const heap = this.add(pack('HEAP', u32(0), u64(place), u64(1), u64(data)));
    const tree = this.writeTree(entries);
    const header = this.writeHeader([
      message(MESSAGE.symbolTable, u64(tree), u64(heap)),
      ...Object.entries(attributes).map(([name, text]) =>
        this.attributeOf(name, text),
      ),
    ]);
    return {header, group: {tree, heap}};
  }

  /** Writes a group's entries, which are sorted, as a B-tree. */
  private writeTree(
    entries: ReadonlyArray<{last: number; bytes: Uint8Array}>,
  ): number {
    let children: Child[] = inParts(entries, 2 * LEAF_K).map((part) => {
      const bytes = part.map((entry) => entry.bytes);
      const leaf = pack('SNOD', u8(1), u8(0), u16(part.length), ...bytes);
      return {address: this.add(fill(leaf, LEAF_SIZE)), last: lastIn(part)};
    });
    for (let level = 0; ; level++) {
      const nodes = inParts(children, 2 * NODE_K);
      // An empty group has a node without children.
      if (nodes.length === 0) nodes.push([]);
      const first = this.size;
      const addressOf = (i: number): Uint8Array =>
        i < 0 || i >= nodes.length ? NOWHERE : u64(first + i * NODE_SIZE);
      children = nodes.map((part, i) => {
        // A key before each child: the largest name before it.
        const before = i === 0 ? 0 : lastIn(nodes[i - 1] ?? []);
        const node = pack(
          ...['TREE', u8(0), u8(level), u16(part.length)],
          ...[addressOf(i - 1), addressOf(i + 1), u64(before)],
          ...part.flatMap(({address, last}) => [u64(address), u64(last)]),
        );
        return {address: this.add(fill(node, NODE_SIZE)), last: lastIn(part)};
      });
      if (nodes.length === 1) return first;
    }
  }

  private writeDataset({shape, values}: Hdf5Values): number {
    const {buffer, byteOffset, byteLength, length} = values;
    if (length !== sizeOf(shape)) {
      const what = `a shape must fit its ${length} values`;
      throw refusal('writeHdf5', what, 'shape', shape);
    }
    const data = new Uint8Array(buffer, byteOffset, byteLength);
    // HDF5 refuses an empty array that lies somewhere.
    const place = byteLength > 0 ? u64(this.add(data)) : NOWHERE;
    return this.writeHeader([
      message(MESSAGE.dataspace, spaceOf(shape)),
      message(MESSAGE.datatype, typeOf(values)),
      // Version 2, with zero for values that were never written: there are none.
      message(MESSAGE.fillValue, pack(u8(2), u8(2), u8(2), u8(1), u32(0))),
      message(MESSAGE.layout, u8(3), u8(1), place, u64(byteLength)),
    ]);
  }

  private writeHeader(messages: readonly Uint8Array[]): number {
    const all = join(messages);
    const count = u16(messages.length);
    // One name refers to it.
    return this.add(
      pack(u8(1), u8(0), count, u32(1), u32(all.length), u32(0), all),
    );
  }

  private attributeOf(name: string, text: string): Uint8Array {
    const encoded = join([util.encodeString(name), u8(0)]);
    // Text of variable length, in UTF-8, of single bytes; 16 bytes refer to it.
    const first = 0x10 | TYPE.variableLength | 0x010100;
    const datatype = pack(u32(first), u32(16), integer(1, false));
    const space = spaceOf([]);
    return message(
      MESSAGE.attribute,
      ...[u8(1), u8(0), u16(encoded.length), u16(datatype.length)],
      ...[u16(space.length), fill(encoded), fill(datatype), space],
      this.references.get(text) ?? new Uint8Array(16),
    );
  }

  /** Writes the texts of attributes into a global heap, in collections. */
  private writeTexts(texts: ReadonlySet<string>): void {
    let objects: Uint8Array[] = [];
    let used = HEAP_HEADER;
    const finish = (): void => {
      const size = Math.max(COLLECTION_SIZE, used + HEAP_HEADER);
      const free = pack(u64(0), u64(size - used));
      const all = pack('GCOL', u32(1), u64(size), ...objects, free);
      this.add(fill(all, size));
      objects = [];
      used = HEAP_HEADER;
    };
    for (const text of texts) {
      const encoded = util.encodeString(text);
      const size = HEAP_HEADER + filled(encoded.length);
      const isFull = used + size + HEAP_HEADER > COLLECTION_SIZE;
      if (isFull && objects.length > 0) finish();
      const index = objects.length + 1;
      const length = encoded.length;
      objects.push(fill(pack(u64(index), u64(length), encoded)));
      used += size;
      this.references.set(text, pack(u32(length), u64(this.size), u32(index)));
    }
    if (objects.length > 0) finish();
  }
}

/** An entry of a group: a name's place in the heap, and the object. */
function entryOf(name: number, {header, group}: Written): Uint8Array {
  const parts = group ? [u64(group.tree), u64(group.heap)] : [u64(0), u64(0)];
  return pack(u64(name), u64(header), u32(group ? 1 : 0), u32(0), ...parts);
}

/** A message of an object's header. */
function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const data = fill(join(parts));
  // Types, once written, never change.
  const flags = type === MESSAGE.datatype || type === MESSAGE.fillValue ? 1 : 0;
  return pack(u16(type), u16(data.length), u8(flags), u8(0), u16(0), data);
}

function spaceOf(shape: readonly number[]): Uint8Array {
  const lengths = shape.map((length) => u64(length));
  return pack(u8(1), u8(shape.length), u16(0), u32(0), ...lengths);
}

/** The next multiple of 8. */
function filled(size: number): number {
  return 8 * Math.ceil(size / 8);
}

/** Fills bytes up with zeros. */
function fill(bytes: Uint8Array, size = filled(bytes.length)): Uint8Array {
  return join([bytes, new Uint8Array(size - bytes.length)]);
}

/** The place of the largest name in a part, which is sorted. */
function lastIn(part: ReadonlyArray<{last: number}>): number {
  return part[part.length - 1]?.last ?? 0;
}

function inParts<T>(list: readonly T[], size: number): T[][] {
  const count = Math.ceil(list.length / size);
  return Array.from({length: count}, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** HDF5 looks names up in the order of their bytes. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const place = a.findIndex((byte, i) => byte !== b[i]);
  return place < 0 ? a.length - b.length : (a[place] ?? 0) - (b[place] ?? -1);
}
