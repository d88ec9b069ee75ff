// Reads the part of HDF5 that Keras writes through h5py: superblock 0, groups with symbol
// tables, arrays in one piece. Names of the parts are those of the format's specification:
// https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
import {ByteReader} from '../byte_reader.js';
import {
  bytesOf,
  type Hdf5Attributes,
  type Hdf5Dataset,
  type Hdf5File,
  sizeOf,
} from './dataset.js';
import {type Datatype, datatypeAt, dtypeOf, TYPE} from './datatype.js';
import {MESSAGE, SIGNATURE, UNDEFINED} from './format.js';

/** The longest path in bytes. Paths of nested models in Keras's files stay far below. */
const LONGEST_PATH = 4096;

/** HDF5 has no more axes. */
const MOST_AXES = 32;

/** A message of an object's header: where its data lies. */
interface Message {
  readonly type: number;
  /** If true, the data refers to another place, which several objects share. */
  readonly shared: boolean;
  readonly offset: number;
  readonly size: number;
}

/** Objects of one file that are read once. */
interface Seen {
  readonly addresses: Set<number>;
  /** The places of the objects of global heaps, by the heap's address and the index. */
  readonly heaps: Map<number, Map<number, {offset: number; size: number}>>;
}

/**
 * Reads an HDF5 file as Keras writes it. The datasets' bytes are views into `bytes`.
 *
 * Throws errors that begin with `who` for files that are damaged or cut off, and for all
 * that Keras does not write: later versions of the format, compressed, chunked, external
 * or virtual arrays, links, big-endian numbers, compound types. It takes time and memory in
 * proportion to the file's size, whatever the file says.
 */
export function readHdf5(bytes: Uint8Array, who: string): Hdf5File {
  const file = new ByteReader(bytes, who);
  const datasets = new Map<string, Hdf5Dataset>();
  const groups = new Map<string, Hdf5Attributes>();
  const seen: Seen = {addresses: new Set(), heaps: new Map()};
  const queue: Array<readonly [path: string, address: number]> = [
    ['', rootOf(file)],
  ];
  for (const [path, address] of queue) {
    visit(file, seen, address, path);
    const messages = readMessages(file, seen, address, path);
    const attributes = readAttributes(file, seen, messages);
    const table = messages.find(({type}) => type === MESSAGE.symbolTable);
    if (table === undefined) {
      datasets.set(path, readDataset(file, messages, attributes, path));
      continue;
    }
    groups.set(path, attributes);
    const before = path === '' ? '' : `${path}/`;
    for (const [name, child] of readTable(file, seen, table, path)) {
      queue.push([before + name, child]);
    }
  }
  return {datasets, groups};
}

/** Checks the superblock, and returns the address of the root's header. */
function rootOf(file: ByteReader): number {
  if (file.size < SIGNATURE.length || !file.has(0, SIGNATURE)) {
    const first = Array.from(file.bytes.subarray(0, 8));
    throw file.foreign('this is not an HDF5 file', 'first bytes', first);
  }
  const version = file.u8(8);
  if (version !== 0) {
    throw file.foreign('its HDF5 is of a later version', 'superblock', version);
  }
  for (const [place, what] of [
    [13, 'offsets'],
    [14, 'lengths'],
  ] as const) {
    const size = file.u8(place);
    if (size !== 8) throw file.foreign(`its ${what} are short`, what, size);
  }
  const base = file.u64(24);
  if (base !== 0) throw file.foreign('it begins later', 'base address', base);
  const end = file.u64(40);
  if (end > file.size) {
    throw file.damaged(`it has ${file.size} bytes`, 'end of file', end);
  }
  return file.u64(64);
}

/** Notes that an address is read, which no address may be twice. */
function visit(
  file: ByteReader,
  seen: Seen,
  address: number,
  path: string,
): void {
  if (seen.addresses.has(address)) {
    throw file.foreign('two names lead to one place', 'path', path);
  }
  seen.addresses.add(address);
}

/** Reads an object's header, and the blocks in which it goes on. */
function readMessages(
  file: ByteReader,
  seen: Seen,
  address: number,
  path: string,
): Message[] {
  const version = file.u8(address);
  if (version !== 1) {
    throw file.foreign('an object is of a later version', 'path', path);
  }
  const count = file.u16(address + 2);
  const blocks = [{offset: address + 16, size: file.u32(address + 8)}];
  const messages: Message[] = [];
  for (const block of blocks) {
    const end = block.offset + block.size;
    let place = block.offset;
    while (place + 8 <= end && messages.length < count) {
      const size = file.u16(place + 2);
      const flags = file.u8(place + 4);
      const offset = place + 8;
      const type = file.u16(place);
      place = offset + size;
      if (place > end) {
        throw file.damaged('a header reaches past its end', 'path', path);
      }
      messages.push({type, shared: (flags & 2) !== 0, offset, size});
      if (type !== MESSAGE.continuation) continue;
      const next = file.u64(offset);
      visit(file, seen, next, path);
      blocks.push({offset: next, size: file.u64(offset + 8)});
    }
  }
  if (messages.length < count) {
    throw file.damaged('a header is not whole', 'path', path);
  }
  refuseMessages(file, messages, path);
  return messages;
}

const LATER_GROUP =
  'a group has links or names beyond ASCII, or is of a later version';

/** Messages that change what an object holds, in ways that are not read here. */
const REFUSED = new Map<number, string>([
  [MESSAGE.linkInfo, LATER_GROUP],
  [MESSAGE.link, LATER_GROUP],
  [MESSAGE.externalFiles, 'an array lies in another file'],
  [MESSAGE.filters, 'an array is compressed'],
  [MESSAGE.attributeInfo, 'an object has attributes of a later version'],
]);

/** The types of messages that there are. */
const LAST_MESSAGE = 0x17;

function refuseMessages(
  file: ByteReader,
  messages: readonly Message[],
  path: string,
): void {
  for (const {type, shared} of messages) {
    const what = REFUSED.get(type);
    if (what !== undefined) throw file.foreign(what, 'path', path);
    if (type > LAST_MESSAGE) {
      throw file.damaged('a header has a message of no type', 'type', type);
    }
    if (shared) {
      throw file.foreign('an object shares its header', 'path', path);
    }
  }
}

/** Reads the names in a group, with the addresses of their objects. */
function readTable(
  file: ByteReader,
  seen: Seen,
  {offset}: Message,
  path: string,
): Map<string, number> {
  const heap = file.u64(offset + 8);
  if (!file.has(heap, 'HEAP')) {
    throw file.damaged('a group has no names', 'path', path);
  }
  const names = file.view(file.u64(heap + 24), file.u64(heap + 8));
  const children = new Map<string, number>();
  const nodes = [file.u64(offset)];
  for (const node of nodes) {
    visit(file, seen, node, path);
    const isTree = file.has(node, 'TREE') && file.u8(node + 4) === 0;
    const count = file.u16(node + 6);
    if (isTree) {
      for (let i = 0; i < count; i++) nodes.push(file.u64(node + 32 + 16 * i));
      continue;
    }
    if (!file.has(node, 'SNOD')) {
      throw file.damaged('a group is not whole', 'path', path);
    }
    for (let i = 0; i < count; i++) {
      const entry = node + 8 + 40 * i;
      const name = nameAt(file, names, file.u64(entry), path);
      if (file.u32(entry + 16) > 1) {
        throw file.foreign('a name is a link', 'path', `${path}/${name}`);
      }
      if (children.has(name)) {
        throw file.damaged('a name comes twice', 'path', `${path}/${name}`);
      }
      children.set(name, file.u64(entry + 8));
    }
  }
  return children;
}

/** Reads a name in a group's heap, which ends with a zero. */
function nameAt(
  file: ByteReader,
  heap: Uint8Array,
  place: number,
  path: string,
): string {
  const end = heap.indexOf(0, place);
  // A name costs its whole path, which is made for each.
  file.spend(path.length + Math.max(0, (end < 0 ? heap.length : end) - place));
  const start = heap.byteOffset - file.bytes.byteOffset + place;
  const name = end <= place ? '' : file.text(start, end - place);
  if (['', '.', '..'].includes(name) || name.includes('/')) {
    throw file.damaged('a name cannot be read', 'path', path);
  }
  if (path.length + end - place > LONGEST_PATH) {
    throw file.foreign(
      'a path is too long',
      'bytes',
      path.length + end - place,
    );
  }
  return name;
}

/** Reads an array of numbers. */
function readDataset(
  file: ByteReader,
  messages: readonly Message[],
  attributes: Hdf5Attributes,
  path: string,
): Hdf5Dataset {
  const find = (wanted: number): Message => {
    const message = messages.find(({type}) => type === wanted);
    if (message) return message;
    throw file.foreign('an object is not an array', 'path', path);
  };
  const shape = readShape(file, find(MESSAGE.dataspace), path);
  const datatype = datatypeAt(file, find(MESSAGE.datatype).offset);
  const dtype = dtypeOf(file, datatype, attributes.dtype);
  if (dtype === undefined) {
    const what = 'an array holds something other than little-endian numbers';
    throw file.foreign(what, 'path', path);
  }
  const {offset} = find(MESSAGE.layout);
  if (file.u8(offset) !== 3 || file.u8(offset + 1) !== 1) {
    const what = 'an array is compressed, in chunks, or not in this file';
    throw file.foreign(what, 'path', path);
  }
  const address = file.u64(offset + 2);
  const size = file.u64(offset + 10);
  if (size !== sizeOf(shape) * bytesOf(dtype)) {
    throw file.damaged(`${path} has a shape of other size`, 'shape', shape);
  }
  const isEmpty = size === 0 && address === UNDEFINED;
  return {shape, dtype, bytes: file.view(isEmpty ? 0 : address, size)};
}

function readShape(
  file: ByteReader,
  {offset, size}: Message,
  path: string,
): number[] {
  const version = file.u8(offset);
  const rank = file.u8(offset + 1);
  if (version !== 1) {
    throw file.foreign('an array has no shape, or a later one', 'path', path);
  }
  if (rank > MOST_AXES || 8 + 8 * rank > size) {
    throw file.damaged(`${path} has no such shape`, 'rank', rank);
  }
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) {
    const length = file.u64(offset + 8 + 8 * i);
    // An empty array could have any length along another axis.
    if (length > file.size) {
      throw file.damaged(`${path} is larger than the file`, 'length', length);
    }
    shape.push(length);
  }
  return shape;
}

/** Reads the attributes that are text; others say nothing about weights. */
function readAttributes(
  file: ByteReader,
  seen: Seen,
  messages: readonly Message[],
): Record<string, string> {
  const texts: Array<[string, string]> = [];
  for (const {type, offset} of messages) {
    if (type !== MESSAGE.attribute) continue;
    const version = file.u8(offset);
    if (
      version < 1 ||
      version > 3 ||
      (version > 1 && file.u8(offset + 1) > 0)
    ) {
      throw file.foreign(
        'an attribute is of a later version',
        'version',
        version,
      );
    }
    const sizes = [2, 4, 6].map((place) => file.u16(offset + place));
    // Version 1 fills up each part to 8 bytes; version 3 adds the name's encoding.
    const [name = 0, datatype = 0, space = 0] =
      version === 1 ? sizes.map((size) => 8 * Math.ceil(size / 8)) : sizes;
    const start = offset + (version === 3 ? 9 : 8);
    const kind = datatypeAt(file, start + name);
    // A rank above 0 is a list.
    if (file.u8(start + name + datatype + 1) !== 0) continue;
    const value = textAt(file, seen, kind, start + name + datatype + space);
    if (value === undefined) continue;
    const key = untilZero(file.text(start, sizes[0] ?? 0));
    texts.push([key, value]);
  }
  return Object.fromEntries(texts);
}

function textAt(
  file: ByteReader,
  seen: Seen,
  {kind, bits, size}: Datatype,
  offset: number,
): string | undefined {
  if (kind === TYPE.string) return untilZero(file.text(offset, size));
  const isText = kind === TYPE.variableLength && (bits & 15) === 1;
  if (!isText) return undefined;
  const length = file.u32(offset);
  if (length === 0) return '';
  const address = file.u64(offset + 4);
  const heap = seen.heaps.get(address) ?? readHeap(file, address);
  seen.heaps.set(address, heap);
  const found = heap.get(file.u32(offset + 12));
  if (found === undefined || found.size < length) {
    throw file.damaged('an attribute has no text', 'address', address);
  }
  return file.text(found.offset, length);
}

/** Finds the objects of a global heap. */
function readHeap(
  file: ByteReader,
  address: number,
): Map<number, {offset: number; size: number}> {
  if (!file.has(address, 'GCOL')) {
    throw file.damaged('an attribute has no text', 'address', address);
  }
  const end = address + file.u64(address + 8);
  const objects = new Map<number, {offset: number; size: number}>();
  let place = address + 16;
  while (place + 16 <= end) {
    const index = file.u16(place);
    // The space that is free.
    if (index === 0) break;
    const size = file.u64(place + 8);
    objects.set(index, {offset: place + 16, size});
    place += 16 + 8 * Math.ceil(size / 8);
  }
  return objects;
}

function untilZero(text: string): string {
  return text.split('\0', 1)[0] ?? '';
}
