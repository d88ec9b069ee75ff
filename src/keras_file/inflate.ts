import {Inflate} from 'fflate';

/** Bytes inflated at a time: they give 4 MB at most. */
const AT_ONCE = 4096;

/**
 * Inflates bytes that give a number of bytes. Gives undefined if they give another number
 * or cannot be inflated, and then stops as soon as that is clear: it takes no more memory
 * than for `size` bytes, and 4 MB.
 */
export function inflate(
  bytes: Uint8Array,
  size: number,
): Uint8Array | undefined {
  const all = new Uint8Array(size);
  let used = 0;
  const stream = new Inflate((part) => {
    if (part.length <= size - used) all.set(part, used);
    used += part.length;
  });
  try {
    let place = 0;
    do {
      const end = Math.min(place + AT_ONCE, bytes.length);
      stream.push(bytes.subarray(place, end), end === bytes.length);
      place = end;
    } while (place < bytes.length && used <= size);
  } catch {
    return undefined;
  }
  return used === size ? all : undefined;
}
