import {type ChildProcess, spawn, spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';

const ROOT = join(__dirname, '..', '..');
const POLYFILL = join(ROOT, 'test', 'support', 'node_polyfill.js');

/**
 * @throws Error if the package, which child processes need, has not been built.
 */
export function requireBuild(): void {
  if (existsSync(join(ROOT, 'dist', 'cjs', 'src', 'node', 'index.js'))) return;
  throw new Error('dist/ is missing: run "npm run build" before this test');
}

/** Starts a script of this folder in a separate process. */
export function start(script: string, args: string[]): ChildProcess {
  return spawn(process.execPath, [join(__dirname, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

/** Runs a script of this folder to its end, and parses its output as JSON. */
export function run(script: string, args: string[]): unknown {
  const {status, stdout, stderr} = spawnSync(
    process.execPath,
    ['-r', POLYFILL, join(__dirname, script), ...args],
    {encoding: 'utf8'},
  );
  if (status !== 0) throw new Error(`${script} ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
