import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {ROOT} from './scripts.js';

interface Failure {
  code: number;
  stderr: string;
}

function consumers(...args: string[]): Promise<Failure> {
  const script = join(ROOT, 'scripts/consumers.mjs');
  return promisify(execFile)(process.execPath, [script, ...args]).then(
    () => ({code: 0, stderr: ''}),
    (error: unknown) => error as Failure,
  );
}

describe('npm run consumers', () => {
  it('refuses an unknown project, and names the known ones', async () => {
    const {code, stderr} = await consumers('--only', 'vite', 'svelte');
    expect(code).toBe(2);
    const folders = readdirSync(join(ROOT, 'test/consumers'));
    const names = folders.filter((name) => name !== 'shared').sort();
    expect(stderr).toBe(
      `consumers: no project svelte, only ${names.join(', ')}\n`,
    );
  });
});
