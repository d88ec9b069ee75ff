import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Metrics} from '../../examples/digits/metrics.js';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'build', 'examples', 'digits', 'main.js');

/** The result of a program. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Makes a new, empty folder. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'digits-'));
}

/** Runs the compiled program, on a backend that exists everywhere. */
export function runDigits(...args: string[]): Promise<Ended> {
  return endOf(startDigits(...args));
}

/** Starts the compiled program. */
export function startDigits(...args: string[]): ChildProcess {
  if (!existsSync(MAIN)) {
    throw new Error(
      `${MAIN} is missing: "node scripts/start.mjs --build-only" makes it`,
    );
  }
  const all = [MAIN, '--backend', 'wasm', ...args];
  return spawn(process.execPath, all, {cwd: ROOT});
}

/** Waits for a process to end. */
export function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({code, stdout, stderr}));
  });
}

/** Reads metrics.json. */
export function readMetrics(out: string): Metrics {
  return JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')) as Metrics;
}

/**
 * Returns every file in a folder with its content, to compare before with
 * after.
 */
export function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(file, 'latin1')]),
  );
}
