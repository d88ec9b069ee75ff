const last = new Map<string, Promise<void>>();

/**
 * Runs a task after all that were given before it with the same key, whether
 * they went well or not.
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
  // The next in turn does not care how this one ended.
}
