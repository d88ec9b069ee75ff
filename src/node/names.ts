import {randomBytes} from 'node:crypto';
import {threadId} from 'node:worker_threads';
import {codeOf} from './failure.js';

/** The names of the files that one save writes. */
export interface SaveNames {
  readonly shardName: (index: number) => string;
  /** The file that becomes model.json in the end. */
  readonly temporary: string;
}

const OURS =
  /^(?:weights|model)-(\d+)\.(\d+)-[0-9a-f]{16}(?:-\d+of\d+\.bin|\.json\.tmp)$/;

/**
 * Returns names that no other save uses. They contain the writing process and
 * thread, so that another one does not take the files for leftovers.
 */
export function newNames(shards: number): SaveNames {
  const random = randomBytes(8).toString('hex');
  const id = `${process.pid}.${threadId}-${random}`;
  return {
    shardName: (index) => `weights-${id}-${index + 1}of${shards}.bin`,
    temporary: `model-${id}.json.tmp`,
  };
}

/**
 * Tells if a file has one of our names and is no longer being written: its
 * process has ended, or is this one, which does one save at a time.
 */
export function isAbandoned(name: string): boolean {
  const [, pid, thread] = OURS.exec(name) ?? [];
  if (pid === undefined) return false;
  return Number(pid) === process.pid
    ? Number(thread) === threadId
    : !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: the process runs, and belongs to another user.
    return codeOf(error) === 'EPERM';
  }
}
