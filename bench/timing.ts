/** What a measured program takes, in milliseconds. */
export interface Timing {
  readonly median: number;
  readonly runs: number;
}

/** How programs are measured. */
export interface Schedule {
  /** How long one program may take altogether, in milliseconds. */
  readonly budget: number;
  /** How often it runs at most, after one run that does not count. */
  readonly runs: number;
  /** A clock in milliseconds. Defaults to the process's. */
  readonly now?: () => number;
}

/**
 * Runs programs in turn, so that whatever else the machine does meets all of
 * them, and gives the median of each. A slow one runs less often, once at least;
 * then that one run counts.
 */
export async function interleave(
  programs: ReadonlyArray<() => Promise<void>>,
  {budget, runs, now = () => performance.now()}: Schedule,
): Promise<Timing[]> {
  const times: number[][] = programs.map(() => []);
  for (let run = 0; run <= runs; run++) {
    for (const [i, program] of programs.entries()) {
      const own = times[i] ?? [];
      const spent = own.reduce((sum, time) => sum + time, 0);
      if (run > 0 && spent > budget) continue;
      const begin = now();
      await program();
      own.push(now() - begin);
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
