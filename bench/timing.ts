/** What a measured program takes, in milliseconds. */
export interface Timing {
  readonly median: number;
  readonly runs: number;
}

/**
 * Runs programs in turn, so that whatever else the machine does meets all of
 * them, and gives the median of each. A slow one runs less often.
 *
 * @param budget How long one program may take altogether, in milliseconds; each
 *   runs once at least, after one run that does not count if that was quick.
 */
export async function interleave(
  programs: ReadonlyArray<() => Promise<void>>,
  {budget, runs}: {budget: number; runs: number},
): Promise<Timing[]> {
  const times: number[][] = programs.map(() => []);
  for (let run = 0; run <= runs; run++) {
    for (const [i, program] of programs.entries()) {
      const own = times[i] ?? [];
      const spent = own.reduce((sum, time) => sum + time, 0);
      if (run > 0 && spent > budget) continue;
      const begin = performance.now();
      await program();
      own.push(performance.now() - begin);
    }
  }
  return times.map((own) => {
    const counted = own.length > 1 ? own.slice(1) : own;
    return {median: medianOf(counted), runs: counted.length};
  });
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1
    ? upper
    : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
