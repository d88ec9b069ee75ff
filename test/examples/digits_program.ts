import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Metrics} from '../../examples/digits/metrics.js';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'build', 'examples', 'digits', 'main.js');

/** What a program leaves behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that is new and empty. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'digits-'));
}

/** Runs the compiled program, on the backend that is there everywhere. */
export function runDigits(...args: string[]): Promise<Ended> {
  return endOf(startDigits(...args));
}

/** Starts it. */
export function startDigits(...args: string[]): ChildProcess {
  if (!existsSync(MAIN)) {
    throw new Error(
      `${MAIN} is missing: "node scripts/start.mjs --build-only" makes it`,
    );
  }
  const all = [MAIN, '--backend', 'wasm', ...args];
  return spawn(process.execPath, all, {cwd: ROOT});
}

/** Waits for its end. */
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

/** What metrics.json says. */
export function readMetrics(out: string): Metrics {
  return JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8')) as Metrics;
}

/** Every file in a folder with its content, for comparing before with after. */
export function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(file, 'latin1')]),
  );
}
