// Zones of NaN around the buffers of a WebAssembly memory: a kernel that reads one shows
// it in its result, one that writes there breaks it.

/** As many bytes before and behind each buffer. */
export const GUARD = 64;

/** A quiet NaN, another one for each word: one that is copied from a guard shows too. */
function patternOf(address: number): number {
  return 0x7fc00000 + ((address / 4) % 2 ** 22);
}

/** Makes bytes of a memory a guard, in whole words. */
export function guard(
  {buffer}: {buffer: ArrayBufferLike},
  begin: number,
  bytes: number,
): void {
  const words = new Uint32Array(buffer, begin, bytes / 4);
  words.forEach((_, i) => (words[i] = patternOf(begin + 4 * i)));
}

/** Whether a guard has been written to. */
export function isBroken(
  {buffer}: {buffer: ArrayBufferLike},
  begin: number,
  bytes: number,
): boolean {
  return new Uint32Array(buffer, begin, bytes / 4).some(
    (word, i) => word !== patternOf(begin + 4 * i),
  );
}
