import {mkdirSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {codeOf} from './failure.js';

/**
 * Makes a folder and its parents, unless they exist.
 *
 * Node's own recursive mkdir never returns where the system answers ENOENT to
 * making a folder in an existing one, as Linux does in /proc (Node 20 and 22).
 *
 * @throws The system's error if one cannot be made, or is a file.
 */
export function makeFolders(folder: string): void {
  if (isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolders(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false})?.isDirectory() ?? false;
}
