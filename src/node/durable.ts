import {fsync} from 'node:fs';
import {type FileHandle, open, rm} from 'node:fs/promises';
import {promisify} from 'node:util';
import {codeOf} from './failure.js';
import type {Pieces} from './weight_bytes.js';

/** Error codes of systems that cannot flush a folder, or not for this user. */
const CANNOT_SYNC = new Set([
  'EACCES',
  'EBADF',
  'EINVAL',
  'EISDIR',
  'ENOTSUP',
  'EPERM',
]);

/** Writes a file that must not exist yet, and flushes it to the disk. */
export async function writeNew(path: string, pieces: Pieces): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await flush(file);
  } finally {
    await file.close();
  }
}

/** Flushes the names in a folder to the disk, where the system supports it. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await flush(handle).finally(() => handle.close());
  } catch (error) {
    if (!CANNOT_SYNC.has(codeOf(error))) throw error;
  }
}

/** Yarn's Plug'n'Play has no `FileHandle.sync`. */
function flush({fd}: FileHandle): Promise<void> {
  return promisify(fsync)(fd);
}

/** Removes files; what cannot be removed stays. */
export async function removeFiles(paths: readonly string[]): Promise<void> {
  await Promise.allSettled(paths.map((path) => rm(path, {force: true})));
}
