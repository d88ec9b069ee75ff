import {randomBytes} from 'node:crypto';
import {threadId} from 'node:worker_threads';
import {codeOf} from './failure.js';

/** The names of the files that one save writes. */
export interface SaveNames {
  readonly shardName: (index: number) => string;
  /** What becomes model.json in the end. */
  readonly temporary: string;
}

const OURS =
  /^(?:weights|model)-(\d+)\.(\d+)-[0-9a-f]{16}(?:-\d+of\d+\.bin|\.json\.tmp)$/;

/**
 * Names that no other save has. They tell which process and which of its threads
 * writes the files, so that another one does not take them for leftovers.
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
 * Whether a file has a name of ours and nobody is writing it any more: its
 * process has ended, or it is this one, which saves one at a time.
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
    // EPERM: it runs, and belongs to someone else.
    return codeOf(error) === 'EPERM';
  }
}
