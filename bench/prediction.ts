/** The time that a program took for a part of its input. */
export interface Probe {
  readonly size: number;
  readonly milliseconds: number;
}

/** Parts of an input to try, the smallest first. */
const FRACTIONS = [1 / 1024, 1 / 256, 1 / 64, 1 / 16, 1 / 4];

/** The share of the limit that one try may take. */
const PROBE_SHARE = 1 / 4;

/**
 * Extrapolates a program's time to `size`: by the power law through the last
 * two probes, which fits both costs per element and costs per pair, or in
 * proportion to a single probe.
 */
export function extrapolate(probes: readonly Probe[], size: number): number {
  const last = probes[probes.length - 1];
  if (last === undefined) return 0;
  const before = probes[probes.length - 2];
  const exponent = before === undefined ? 1 : exponentOf(before, last);
  return last.milliseconds * (size / last.size) ** exponent;
}

function exponentOf(before: Probe, last: Probe): number {
  const growth = Math.log(last.milliseconds / before.milliseconds);
  return Math.max(0, growth / Math.log(last.size / before.size));
}

/**
 * Tries a program on ever larger parts of its input and predicts the time for
 * all of it, without ever waiting for more than a part of the limit.
 *
 * @param measure Runs the program for a size and returns milliseconds.
 * @param limit In milliseconds: above it no larger part is tried.
 */
export async function predict(
  size: number,
  measure: (size: number) => Promise<number>,
  limit: number,
): Promise<number> {
  const probes: Probe[] = [];
  for (const part of partsOf(size)) {
    if (extrapolate(probes, part) > PROBE_SHARE * limit) break;
    // The very first run compiles code, which would hide the growth of the
    // times.
    if (probes.length === 0) await measure(part);
    probes.push({size: part, milliseconds: await measure(part)});
  }
  return extrapolate(probes, size);
}

function partsOf(size: number): number[] {
  const parts = FRACTIONS.map((fraction) => Math.floor(fraction * size));
  return [...new Set(parts)].filter((part) => part >= 1);
}
