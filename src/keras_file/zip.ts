// A .keras file is a zip archive. Keras stores its members without compressing them;
// other programs may have packed them again.
import {util} from '@tensorflow/tfjs-core';
import {at} from '../util/at.js';
import {refusal} from '../util/received.js';
import {ByteReader} from './byte_reader.js';
import {inflate} from './inflate.js';
import {join, pack, u16, u32} from './pack.js';

const LOCAL = 'PK\x03\x04';
const ENTRY = 'PK\x01\x02';
const END = 'PK\x05\x06';

const LOCAL_SIZE = 30;
const ENTRY_SIZE = 46;
const END_SIZE = 22;

/** Methods of compression. */
const STORED = 0;
const DEFLATED = 8;

/** Bits of an entry's flags. */
const ENCRYPTED = 1;
const UTF8 = 1 << 11;

/** Version 2.0 of the format. */
const VERSION = 20;

/** January 1st, 1980, the first date there is: equal members give equal files. */
const DATE = (1 << 5) | 1;

/** Fields of 32 and 16 bits that say that the number stands elsewhere (ZIP64). */
const MAX_32 = 2 ** 32 - 1;
const MAX_16 = 2 ** 16 - 1;

/**
 * The most bytes that a member may give for each byte it takes in the archive. Weights
 * that were trained give less than 2 and JSON less than 20; deflate can give 1,032.
 */
export const MOST_INFLATION = 100;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

/**
 * Reads the members of a zip archive, in the order of its directory. A member that is
 * stored is a view into `bytes`.
 *
 * Throws errors that begin with `who` for archives that are damaged or cut off, encrypted,
 * split, larger than 4 GB, or compressed by another method than deflate; for members that
 * have the same name, overlap, fail their checksum, or give more than 100 times the bytes
 * that they take.
 */
export function readZip(
  bytes: Uint8Array,
  who: string,
): Map<string, Uint8Array> {
  const file = new ByteReader(bytes, who);
  const members = new Map<string, Uint8Array>();
  const {entries, directory} = directoryOf(file, who);
  let room = directory;
  for (const entry of entries) {
    const {name, packed} = entry;
    room -= LOCAL_SIZE + packed;
    if (room < 0) throw file.damaged('members overlap', 'member', name);
    if (members.has(name)) {
      throw file.damaged('two members have one name', 'member', name);
    }
    members.set(name, memberOf(file, entry, directory));
  }
  return members;
}

function directoryOf(
  file: ByteReader,
  who: string,
): {entries: Entry[]; directory: number} {
  const end = endOf(file, who);
  const count = file.u16(end + 10);
  const directory = file.u32(end + 16);
  if (directory === MAX_32 || count === MAX_16) {
    throw file.foreign('the archive is in the format ZIP64', 'members', count);
  }
  const last = directory + file.u32(end + 12);
  if (last > end || file.u16(end + 8) !== count || file.u32(end + 4) !== 0) {
    throw file.damaged('its directory is not whole', 'members', count);
  }
  const entries: Entry[] = [];
  let place = directory;
  for (let i = 0; i < count; i++) {
    if (place + ENTRY_SIZE > last || !file.has(place, ENTRY)) {
      throw file.damaged('its directory is not whole', 'member', i);
    }
    const nameSize = file.u16(place + 28);
    entries.push({
      name: file.text(place + ENTRY_SIZE, nameSize),
      flags: file.u16(place + 8),
      method: file.u16(place + 10),
      crc: file.u32(place + 16),
      packed: file.u32(place + 20),
      size: file.u32(place + 24),
      local: file.u32(place + 42),
    });
    const rest = file.u16(place + 30) + file.u16(place + 32);
    place += ENTRY_SIZE + nameSize + rest;
  }
  return {entries, directory};
}

/** Finds the record at the end, which a comment may follow. */
function endOf(file: ByteReader, who: string): number {
  if (file.size < END_SIZE || !(file.has(0, LOCAL) || file.has(0, END))) {
    throw refusal(
      who,
      "this is not a .keras file, which is a zip archive; save the model with Keras's " +
        "model.save('model.keras')",
      'first bytes',
      Array.from(file.bytes.subarray(0, 4)),
    );
  }
  const last = file.size - END_SIZE;
  for (let end = last; end >= 0 && end >= last - MAX_16; end--) {
    if (!file.has(end, END)) continue;
    if (end + END_SIZE + file.u16(end + 20) === file.size) return end;
  }
  throw file.damaged('its directory is missing', 'bytes', file.size);
}

function memberOf(file: ByteReader, entry: Entry, end: number): Uint8Array {
  const {name, flags, method, crc, packed, size, local} = entry;
  if ((flags & ENCRYPTED) !== 0) {
    throw file.foreign('a member is encrypted', 'member', name);
  }
  if (local + LOCAL_SIZE > end || !file.has(local, LOCAL)) {
    throw file.damaged('a member is missing', 'member', name);
  }
  const nameSize = file.u16(local + 26);
  const start = local + LOCAL_SIZE + nameSize + file.u16(local + 28);
  if (start + packed > end) {
    throw file.damaged('a member reaches past its end', 'member', name);
  }
  if (file.text(local + LOCAL_SIZE, nameSize) !== name) {
    throw file.damaged('a member has two names', 'member', name);
  }
  const bytes = unpacked(file, entry, file.view(start, packed));
  if (bytes?.length !== size || crc32(bytes) !== crc) {
    throw file.damaged(`${name} fails its checksum`, 'method', method);
  }
  return bytes;
}

function unpacked(
  file: ByteReader,
  {name, method, packed, size}: Entry,
  bytes: Uint8Array,
): Uint8Array | undefined {
  if (method === STORED) return bytes;
  if (method !== DEFLATED) {
    throw file.foreign(`${name} is compressed`, 'method', method);
  }
  if (size > MOST_INFLATION * packed) {
    const ratio = Math.round(size / packed);
    const what = `${name} would take ${ratio} times what it takes packed`;
    throw file.foreign(what, 'size', size);
  }
  return inflate(bytes, size);
}

/**
 * Makes a zip archive of members, in their order, without compressing them. Equal members
 * give equal bytes. Throws if the archive would be larger than 4 GB.
 */
export function writeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const files: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let place = 0;
  for (const [name, bytes] of members) {
    const encoded = util.encodeString(name);
    const shared = pack(
      ...[u16(VERSION), u16(UTF8), u16(STORED), u16(0), u16(DATE)],
      ...[u32(crc32(bytes)), u32(bytes.length), u32(bytes.length)],
      ...[u16(encoded.length), u16(0)],
    );
    const local = u32(place);
    const before = pack(LOCAL, shared, encoded);
    files.push(before, bytes);
    place += before.length + bytes.length;
    // Neither a comment, a disk nor attributes.
    const rest = pack(u16(0), u16(0), u16(0), u32(0), local, encoded);
    directory.push(pack(ENTRY, u16(VERSION), shared, rest));
  }
  const size = directory.reduce((sum, {length}) => sum + length, 0);
  if (place + size >= MAX_32 || members.size >= MAX_16) {
    throw refusal(
      'writeZip',
      'a .keras file holds at most 4 GB and 65,534 members',
      'bytes',
      place + size,
    );
  }
  const count = u16(members.size);
  const end = pack(END, u32(0), count, count, u32(size), u32(place), u16(0));
  return join([...files, ...directory, end]);
}

let table: Uint32Array | undefined;

/** CRC-32, with the polynomial of zip. */
function crc32(bytes: Uint8Array): number {
  table ??= Uint32Array.from({length: 256}, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
    }
    return remainder;
  });
  let crc = -1;
  for (const byte of bytes) {
    crc = (crc >>> 8) ^ at(table, (crc ^ byte) & 255);
  }
  return ~crc >>> 0;
}
