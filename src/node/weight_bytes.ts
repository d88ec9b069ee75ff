import {types} from 'node:util';
import type {io} from '@tensorflow/tfjs-core';
import {DTYPE_BYTES} from '../util/dtype_bytes.js';

/** Bytes in several consecutive pieces. */
export type Pieces = readonly Uint8Array[];

const STORABLE: readonly unknown[] = ['string', ...Object.keys(DTYPE_BYTES)];

/** A string is stored as its length, in four bytes, followed by its UTF-8. */
const STRING_PREFIX = 4;

/**
 * Returns the bytes of `weightData`, in any of its forms, without copying them;
 * undefined if it holds anything but bytes.
 */
export function piecesOf(data: unknown): Uint8Array[] | undefined {
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  return list.every(isBytes) ? list.map(viewOf) : undefined;
}

/**
 * Tells if `dtype` can be stored, as itself or as a quantization of weights.
 */
export function isStorable(dtype: unknown): boolean {
  return STORABLE.includes(dtype);
}

/** Returns the number of bytes. */
export function lengthOf(pieces: Pieces): number {
  return pieces.reduce((sum, {length}) => sum + length, 0);
}

/** Returns the bytes from `start` up to `end`, without copying them. */
export function between(
  pieces: Pieces,
  start: number,
  end: number,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  let offset = 0;
  for (const piece of pieces) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, piece.length);
    if (from < to) found.push(piece.subarray(from, to));
    offset += piece.length;
  }
  return found;
}

/**
 * Cuts the bytes into shards of `limit` bytes, the last one shorter. There is
 * always one shard: readers expect a path even if a model has no weights.
 */
export function cutIntoShards(pieces: Pieces, limit: number): Uint8Array[][] {
  const shards = Math.max(1, Math.ceil(lengthOf(pieces) / limit));
  return Array.from({length: shards}, (_, i) =>
    between(pieces, i * limit, (i + 1) * limit),
  );
}

/**
 * Returns the number of bytes that weights need. The lengths of strings are in
 * the bytes themselves; if these end too soon, the result exceeds their number.
 */
export function bytesNeeded(
  specs: readonly io.WeightsManifestEntry[],
  pieces: Pieces,
): number {
  return specs.reduce((end, {shape, dtype, quantization}) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const stored = quantization?.dtype ?? dtype;
    return stored === 'string'
      ? endOfStrings(size, pieces, end)
      : end + size * DTYPE_BYTES[stored];
  }, 0);
}

function endOfStrings(size: number, pieces: Pieces, start: number): number {
  const available = lengthOf(pieces);
  let end = start;
  for (let i = 0; i < size; i++) {
    const prefix = end + STRING_PREFIX;
    if (prefix > available) return prefix;
    const bytes = Buffer.concat(between(pieces, end, prefix));
    end = prefix + bytes.readUInt32LE();
  }
  return end;
}

function isBytes(value: unknown): value is ArrayBufferLike | ArrayBufferView {
  // Not instanceof: Jest and vm have an ArrayBuffer of their own.
  return types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value);
}

function viewOf(value: ArrayBufferLike | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}
