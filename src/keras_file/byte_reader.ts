import {util} from '@tensorflow/tfjs-core';
import {refusal} from '../util/received.js';

/** Stands at the end of each message: the cure for files that cannot be read. */
const CURE = "save the model again with Keras's model.save";

/** The work that a file may cost: bytes read for each byte that it has, and some. */
const WORK_PER_BYTE = 16;
const LEAST_WORK = 65_536;

/**
 * Reads little-endian numbers and text out of a file that may be damaged or hostile: it
 * refuses to read past the file's end, and it refuses to read the same bytes again and
 * again, so that reading takes a time and a memory in proportion to the file's size.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  private readonly data: DataView;
  private work: number;

  /** `who` begins each error. */
  constructor(
    {buffer, byteOffset, length}: Uint8Array,
    private readonly who: string,
  ) {
    // Node's Buffer is an Uint8Array whose `slice` copies nothing.
    this.bytes = new Uint8Array(buffer, byteOffset, length);
    this.data = new DataView(buffer, byteOffset, length);
    this.work = WORK_PER_BYTE * length + LEAST_WORK;
  }

  get size(): number {
    return this.bytes.length;
  }

  u8(offset: number): number {
    this.need(offset, 1);
    return this.data.getUint8(offset);
  }

  u16(offset: number): number {
    this.need(offset, 2);
    return this.data.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.need(offset, 4);
    return this.data.getUint32(offset, true);
  }

  /** Reads 64 bits. Above 2^53 the result is rounded, and past the end of any file. */
  u64(offset: number): number {
    return this.u32(offset) + this.u32(offset + 4) * 2 ** 32;
  }

  /** Tells if the file has a signature, of ASCII, at an offset. */
  has(offset: number, signature: string): boolean {
    this.need(offset, signature.length);
    const found = this.bytes.subarray(offset, offset + signature.length);
    return String.fromCharCode(...found) === signature;
  }

  /** Decodes a copy of UTF-8. */
  text(offset: number, size: number): string {
    this.need(offset, size);
    return util.decodeString(this.bytes.slice(offset, offset + size));
  }

  /** A part of the file, not copied, which costs no work. */
  view(offset: number, size: number): Uint8Array {
    this.within(offset, size);
    return this.bytes.subarray(offset, offset + size);
  }

  /** Counts work that is done without reading. */
  spend(work: number): void {
    this.work -= work;
    if (this.work < 0) {
      throw this.damaged(
        'it refers to the same places over and over',
        'size',
        this.size,
      );
    }
  }

  /** Makes an error about a file that is not as it was written. */
  damaged(what: string, name: string, value: unknown): Error {
    return this.refused(
      `the file is damaged or cut off, as ${what}`,
      name,
      value,
    );
  }

  /** Makes an error about a file that is not as Keras writes it. */
  foreign(what: string, name: string, value: unknown): Error {
    return this.refused(`${what}, which Keras does not write`, name, value);
  }

  private refused(what: string, name: string, value: unknown): Error {
    return refusal(this.who, `${what}; ${CURE}`, name, value);
  }

  private need(offset: number, size: number): void {
    this.within(offset, size);
    this.spend(size);
  }

  private within(offset: number, size: number): void {
    if (offset + size <= this.size) return;
    throw this.damaged(`it has ${this.size} bytes`, 'offset', offset + size);
  }
}
