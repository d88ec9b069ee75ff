import {execFile} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {promisify} from 'node:util';

export const ROOT = resolve(__dirname, '../..');

/** The output of a script. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** @throws Error if the package, which the scripts use, has not been built. */
export function needsBuild(): void {
  if (existsSync(join(ROOT, 'dist/wrapper/index.js'))) return;
  throw new Error('dist/ is missing: "npm run build" makes it');
}

/**
 * Runs a script in a separate process, from a file in the repository, so that
 * it finds the package and its peers by name.
 */
export async function runScript(
  text: string,
  extension: 'cjs' | 'mjs',
  args: readonly string[] = [],
): Promise<Printed> {
  const file = join(ROOT, `script-${process.pid}-${Date.now()}.${extension}`);
  writeFileSync(file, text);
  try {
    return await promisify(execFile)(process.execPath, [file, ...args], {
      cwd: ROOT,
    });
  } finally {
    rmSync(file);
  }
}

/** Makes a folder that is removed after the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-normalization-'));
  afterAll(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}
