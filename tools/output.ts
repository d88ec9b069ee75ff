import {
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {InputError, reasonOf} from './errors.js';

/** The files written beside the models. */
const FILES = ['metrics.json', 'chart.svg'];

/**
 * Makes the folder, and checks that files can be written there and in its
 * existing subfolders.
 *
 * @throws InputError if they cannot.
 */
export function checkOutput(out: string, folders: readonly string[]): void {
  tryWriting(out, () => {
    makeFolder(resolve(out));
    probe(out);
  });
  for (const file of FILES.map((name) => join(out, name))) {
    if (statSync(file, {throwIfNoEntry: false})?.isDirectory()) {
      throw new InputError(`${file}: cannot be written: it is a folder`);
    }
  }
  for (const folder of folders.map((name) => join(out, name))) {
    if (existsSync(folder)) tryWriting(folder, () => probe(folder));
  }
}

/**
 * Writes a file under a temporary name and renames it at the end, so that
 * readers find either the old file or the new one, whole.
 *
 * @throws InputError if it cannot be written.
 */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  tryWriting(path, () => {
    try {
      writeFileSync(temporary, text);
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, {force: true});
    }
  });
}

/** Node's `recursive` option never returns for a folder in /proc. */
function makeFolder(folder: string): void {
  if (!existsSync(folder)) makeFolder(dirname(folder));
  else if (statSync(folder).isDirectory()) return;
  mkdirSync(folder);
}

/** Permissions do not tell enough: a disk may be full or read-only. */
function probe(folder: string): void {
  const file = join(folder, `.${process.pid}.tmp`);
  writeFileSync(file, '');
  rmSync(file);
}

function tryWriting(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new InputError(`${path}: cannot be written: ${reasonOf(error)}`);
  }
}
