import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {InputError} from '../tools/errors.js';
import {QUICK_SHAPES, SHAPES} from './cases.js';
import type {Options} from './options.js';
import type {GpuBackend, LayerRow, Results} from './results.js';

/** Relative to the package's root, where npm runs scripts. */
const SCRIPT = join('scripts', 'bench-page.mjs');

/** Longer than any run: the page measures as long as it must. */
const PATIENCE = 24 * 3600;

/** Measurements of the page that `npm run bench:page` builds. */
interface Measured {
  readonly layers: readonly LayerRow[];
  readonly devices: NonNullable<Results['devices']>;
  readonly skipped: readonly string[];
}

/**
 * Measures layers on the GPU backends in a headless Chromium.
 *
 * @throws InputError if a backend does not start there.
 */
export async function measureInBrowser(
  backends: readonly GpuBackend[],
  {shape, quick, budget, limit}: Options,
): Promise<Measured> {
  const shapes = shape ?? (quick ? QUICK_SHAPES : SHAPES);
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const json = join(folder, 'results.json');
  const query = [
    ...['run', 'all', 'part=layers'],
    ...(quick ? ['quick'] : []),
    ...(budget === undefined ? [] : [`budget=${budget}`]),
    ...(limit === undefined ? [] : [`limit=${limit}`]),
    ...backends.map((name) => `backend=${name}`),
    ...shapes.map((sizes) => `shape=${sizes.join()}`),
  ].join('&');
  try {
    await runScript([
      ...['--headless', '--query', query, '--json', json],
      ...['--patience', String(PATIENCE)],
    ]);
    const measured = JSON.parse(readFileSync(json, 'utf8')) as Measured;
    const [missing] = measured.skipped;
    if (missing !== undefined) throw new InputError(`--backend ${missing}`);
    return measured;
  } finally {
    rmSync(folder, {recursive: true});
  }
}

/** Shows the script's progress, without its own table. */
function runScript(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => {
      if (code === 0) resolve();
      else reject(new InputError('the page failed in the browser'));
    });
  });
}
