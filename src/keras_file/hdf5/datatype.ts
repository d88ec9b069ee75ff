import type {ByteReader} from '../byte_reader.js';
import {pack, u16, u32} from '../pack.js';
import type {Hdf5DType} from './dataset.js';

/** Classes of datatypes. */
export const TYPE = {
  integer: 0,
  float: 1,
  string: 3,
  opaque: 5,
  enumeration: 8,
  variableLength: 9,
} as const;

/** A float's form in the file. */
interface FloatForm {
  readonly dtype: Hdf5DType;
  readonly size: number;
  /** The place of the sign, and that the first digit is implied; little-endian. */
  readonly bits: number;
  /**
   * Bit offset and precision of the whole (16 bits each), place and size of exponent and
   * mantissa, bias (32 bits).
   */
  readonly properties: readonly number[];
}

const float = (
  dtype: Hdf5DType,
  size: number,
  mantissa: number,
  bias: number,
): FloatForm => {
  const precision = 8 * size;
  const exponent = precision - 1 - mantissa;
  return {
    dtype,
    size,
    bits: ((precision - 1) << 8) | 0x20,
    properties: [
      ...[0, 0, precision, 0, mantissa, exponent, 0, mantissa],
      ...[bias & 255, bias >> 8, 0, 0],
    ],
  };
};

export const FLOAT32 = float('float32', 4, 23, 127);

/** The forms of IEEE 754, and bfloat16. */
export const FLOATS: readonly FloatForm[] = [
  float('float16', 2, 10, 15),
  float('bfloat16', 2, 7, 127),
  FLOAT32,
  float('float64', 8, 52, 1023),
];

/** The type of values in a file, as its message says. */
export interface Datatype {
  readonly kind: number;
  readonly bits: number;
  readonly size: number;
  /** The place of its properties. */
  readonly offset: number;
}

/** Reads the type of values. */
export function datatypeAt(file: ByteReader, offset: number): Datatype {
  return {
    kind: file.u8(offset) & 15,
    // 24 bits.
    bits: file.u32(offset) >>> 8,
    size: file.u32(offset + 4),
    offset: offset + 8,
  };
}

/** Returns undefined for a type that is not read here. `stated` is the attribute `dtype`. */
export function dtypeOf(
  file: ByteReader,
  {kind, bits, size, offset}: Datatype,
  stated: string | undefined,
): Hdf5DType | undefined {
  const isBigEndian = (bits & 1) !== 0;
  switch (kind) {
    case TYPE.integer: {
      const name = `${bits & 8 ? '' : 'u'}int${8 * size}`;
      const precision = file.u16(offset + 2);
      const isWhole = file.u16(offset) === 0 && precision === 8 * size;
      return isWhole && !isBigEndian && isInteger(name) ? name : undefined;
    }
    case TYPE.float: {
      const layout = Array.from(file.view(offset, 12)).join();
      const found = FLOATS.find(
        (float) => float.bits === bits && float.properties.join() === layout,
      );
      return found?.size === size ? found.dtype : undefined;
    }
    // NumPy has no bfloat16: Keras writes its bytes, and an attribute.
    case TYPE.opaque:
      return stated === 'bfloat16' && size === 2 ? stated : undefined;
    case TYPE.enumeration: {
      // NumPy's booleans, FALSE and TRUE.
      const base = datatypeAt(file, offset);
      const isBool = size === 1 && bits === 2 && base.kind === TYPE.integer;
      return isBool && base.size === 1 ? 'bool' : undefined;
    }
    default:
      return undefined;
  }
}

function isInteger(name: string): name is Hdf5DType {
  return /^u?int(8|16|32|64)$/.test(name);
}

/** Writes the type of values. */
export function typeOf(
  values: Float32Array | Int32Array | BigInt64Array,
): Uint8Array {
  if (!(values instanceof Float32Array)) {
    return integer(values.BYTES_PER_ELEMENT, true);
  }
  const {bits, size, properties} = FLOAT32;
  const first = 0x10 | TYPE.float | (bits << 8);
  return pack(u32(first), u32(size), Uint8Array.from(properties));
}

/** Writes the type of integers of some bytes. */
export function integer(size: number, isSigned: boolean): Uint8Array {
  const first = 0x10 | TYPE.integer | (isSigned ? 0x0800 : 0);
  return pack(u32(first), u32(size), u16(0), u16(8 * size));
}
