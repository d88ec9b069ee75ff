/** Returns numbers from 0 up to, but not including, 1. */
export type Random = () => number;

const TWO_TO_32 = 2 ** 32;

/**
 * Derives a seed for one purpose from the seed of the whole run, so that
 * drawing more or fewer numbers for one purpose does not affect another. It is
 * FNV-1a over `seed/purpose`, then the mixing steps of MurmurHash 3, which
 * spread a change in the last letter over all bits.
 *
 * @returns An integer from 1 to 2³² − 1. Never 0, which tf.js takes for no
 *   seed.
 */
export function deriveSeed(seed: number, purpose: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${seed}/${purpose}`) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

/**
 * Tommy Ettinger's Mulberry32: 32 bits of state, a period of 2³², and enough for
 * shuffling. Math.random has no seed, so no run with it could be repeated.
 */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_TO_32;
  };
}

/** Returns the integers below `length` in random order (Fisher and Yates). */
export function permutation(length: number, random: Random): Int32Array {
  const order = Int32Array.from({length}, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    const value = order[last] ?? 0;
    order[last] = order[chosen] ?? 0;
    order[chosen] = value;
  }
  return order;
}
