import {types} from 'node:util';
import type {io} from '@tensorflow/tfjs-core';
import {DTYPE_BYTES} from '../models/keras/weights/dtype_bytes.js';

/** Bytes that lie in several pieces, one after the other. */
export type Pieces = readonly Uint8Array[];

const STORABLE: readonly unknown[] = ['string', ...Object.keys(DTYPE_BYTES)];

/** A string is stored as its length, in four bytes, and its UTF-8. */
const STRING_PREFIX = 4;

/**
 * The bytes of `weightData`, in any of its forms, without copying them;
 * undefined if it holds anything but bytes.
 */
export function piecesOf(data: unknown): Uint8Array[] | undefined {
  const list: readonly unknown[] = Array.isArray(data) ? data : [data];
  return list.every(isBytes) ? list.map(viewOf) : undefined;
}

/** Whether `dtype` can be stored, as itself or as what weights are quantized to. */
export function isStorable(dtype: unknown): boolean {
  return STORABLE.includes(dtype);
}

/** How many bytes there are. */
export function lengthOf(pieces: Pieces): number {
  return pieces.reduce((sum, {length}) => sum + length, 0);
}

/** The bytes from `start` up to `end`, without copying them. */
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
 * The bytes cut into shards of `limit` bytes, the last one shorter. There is
 * always one: readers expect a path, even where a model has no weights.
 */
export function cutIntoShards(pieces: Pieces, limit: number): Uint8Array[][] {
  const count = Math.max(1, Math.ceil(lengthOf(pieces) / limit));
  return Array.from({length: count}, (_, i) =>
    between(pieces, i * limit, (i + 1) * limit),
  );
}

/**
 * How many bytes weights take. The lengths of strings stand in the bytes
 * themselves; where these end too soon, the result is larger than they are.
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
