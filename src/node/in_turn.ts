const last = new Map<string, Promise<void>>();

/**
 * Runs a task after all earlier tasks with the same key, even if these fail.
 */
export function inTurn<T>(key: string, task: () => Promise<T>): Promise<T> {
  const run = (last.get(key) ?? Promise.resolve()).then(task);
  const settled = run.then(nothing, nothing);
  last.set(key, settled);
  void settled.then(() => {
    if (last.get(key) === settled) last.delete(key);
  });
  return run;
}

function nothing(): void {
  // The next task runs however this one ends.
}
