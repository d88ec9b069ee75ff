import {at} from '../../util/at.js';

/** The types of numbers that Keras writes. */
export type Hdf5DType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

/** An array of numbers in a file. */
export interface Hdf5Dataset {
  /** Empty for one number. */
  readonly shape: readonly number[];
  readonly dtype: Hdf5DType;
  /** The values in row-major order, little-endian: a view into the file. */
  readonly bytes: Uint8Array;
}

/** A group's attributes that are text, by their names. */
export type Hdf5Attributes = Readonly<Record<string, string>>;

/** The contents of an HDF5 file. Paths have no slash before them: the root's is ''. */
export interface Hdf5File {
  readonly datasets: ReadonlyMap<string, Hdf5Dataset>;
  readonly groups: ReadonlyMap<string, Hdf5Attributes>;
}

/** Returns the number at a byte. */
type Getter = (data: DataView, place: number) => number;

/** The way to read each type, and its bytes for a number. */
const GETTERS: Readonly<Record<Hdf5DType, readonly [Getter, number]>> = {
  float16: [(data, place) => float16(data.getUint16(place, true)), 2],
  // The upper half of a float32.
  bfloat16: [(data, place) => bfloat16(data.getUint16(place, true)), 2],
  float32: [(data, place) => data.getFloat32(place, true), 4],
  float64: [(data, place) => data.getFloat64(place, true), 8],
  int8: [(data, place) => data.getInt8(place), 1],
  int16: [(data, place) => data.getInt16(place, true), 2],
  int32: [(data, place) => data.getInt32(place, true), 4],
  int64: [
    (data, place) => int64(data, place, data.getInt32(place + 4, true)),
    8,
  ],
  uint8: [(data, place) => data.getUint8(place), 1],
  uint16: [(data, place) => data.getUint16(place, true), 2],
  uint32: [(data, place) => data.getUint32(place, true), 4],
  uint64: [
    (data, place) => int64(data, place, data.getUint32(place + 4, true)),
    8,
  ],
  bool: [(data, place) => data.getUint8(place), 1],
};

/** The bytes that a number takes. */
export function bytesOf(dtype: Hdf5DType): number {
  return GETTERS[dtype][1];
}

/**
 * Returns a dataset's values as float32, in memory of their own. Types with more digits
 * are rounded.
 */
export function values({dtype, bytes}: Hdf5Dataset): Float32Array {
  const [get, size] = GETTERS[dtype];
  if (dtype === 'float32') return new Float32Array(bytes.slice().buffer);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / size;
  return Float32Array.from({length: count}, (_, i) => get(data, i * size));
}

/** The number of values that a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The value of a half-precision float: 1 bit for the sign, 5 and 10. */
function float16(bits: number): number {
  const sign = bits < 0x8000 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction > 0 ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function bfloat16(bits: number): number {
  return at(new Float32Array(Uint32Array.of(bits << 16).buffer), 0);
}

function int64(data: DataView, place: number, upper: number): number {
  return data.getUint32(place, true) + upper * 2 ** 32;
}
