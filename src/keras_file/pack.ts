/** Packs ASCII and bytes one after the other. */
export function pack(...parts: ReadonlyArray<string | Uint8Array>): Uint8Array {
  return join(
    parts.map((part) =>
      typeof part === 'string'
        ? Uint8Array.from(part, (char) => char.charCodeAt(0))
        : part,
    ),
  );
}

/** Joins bytes into one array. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, {length}) => sum + length, 0);
  const all = new Uint8Array(size);
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}

/** 8 bits. */
export const u8 = (value: number): Uint8Array => little(value, 1);

/** 16 bits, little-endian. */
export const u16 = (value: number): Uint8Array => little(value, 2);

/** 32 bits, little-endian. */
export const u32 = (value: number): Uint8Array => little(value, 4);

/** 64 bits, little-endian, of an integer below 2^53. */
export const u64 = (value: number): Uint8Array => little(value, 8);

function little(value: number, size: number): Uint8Array {
  let rest = value;
  return Uint8Array.from({length: size}, () => {
    const byte = rest % 256;
    rest = Math.floor(rest / 256);
    return byte;
  });
}
