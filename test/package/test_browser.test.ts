// Tests the runner of browser tests: its output and its exit code.
import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {temporaryFolder} from './scripts.js';

const SCRIPT = resolve(__dirname, '../../scripts/test-browser.mjs');
const FIXTURES = 'test/browser/fixtures';

interface Run {
  status: number | null;
  /** Its whole output. */
  text: string;
}

function runner(args: string[], env: NodeJS.ProcessEnv = {}): Run {
  const {status, stdout, stderr} = spawnSync(
    process.execPath,
    [SCRIPT, '--backend', 'wasm', ...args],
    {
      cwd: resolve(__dirname, '../..'),
      encoding: 'utf8',
      env: {...process.env, REQUIRE_BROWSER: '', ...env},
    },
  );
  return {status, text: stdout + stderr};
}

const files = (...names: string[]): string[] => [
  '--files',
  ...names.map((name) => `${FIXTURES}/${name}.test.ts`),
];

/** Environment without a browser, neither in a package nor installed. */
const NO_BROWSER = {
  CHROME_PATH: '',
  NODE_OPTIONS:
    '--import=data:text/javascript,' +
    "Object.defineProperty(process,'platform',{value:'darwin'})",
};

const first = runner(files('passing'));
const itInBrowser = first.text.startsWith('Skipped') ? it.skip : it;

describe('npm run test:browser', () => {
  const folder = temporaryFolder();

  itInBrowser('reports the backend, the browser, and the passed tests', () => {
    expect(first.text).toContain('wasm: WebAssembly with SIMD, in Chromium ');
    expect(first.text).toContain('\nBrowser tests: 1 passed, 0 failed\n');
    expect(first.status).toBe(0);
  });

  itInBrowser('fails if a test fails, and reports the failure', () => {
    const json = join(folder, 'counts.json');
    const {status, text} = runner([...files('failing'), '--json', json]);
    expect(status).toBe(1);
    expect(text).toContain(
      '● wasm › a fixture › fails as it should: 1 is three',
    );
    expect(text).toContain('Expected: 3\nReceived: 1\n');
    expect(text).toContain('Error: not three');
    expect(text).toContain('Skipped: a fixture › is skipped');
    expect(text).toContain('Browser tests: 1 passed, 2 failed');
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual({
      numPassedTests: 1,
      numFailedTests: 2,
      numPendingTests: 1,
      failedTests: [1, 2].map(
        (value) =>
          `wasm › ${FIXTURES}/failing.test.ts › a fixture › ` +
          `fails as it should: ${value} is three`,
      ),
    });
  });

  itInBrowser('fails with an error outside of any test', () => {
    const {status, text} = runner(files('throwing', 'passing'));
    expect(status).toBe(1);
    expect(text).toContain(`● wasm › ${FIXTURES}/throwing.test.ts`);
    expect(text).toContain('thrown outside of any test');
    expect(text).toContain('Browser tests: 1 passed, 1 failed');
  });

  const itOnLinux = process.platform === 'linux' ? it : it.skip;

  itOnLinux('skips by name if there is no browser', () => {
    const {status, text} = runner(files('passing'), NO_BROWSER);
    expect(text).toContain('Skipped: every test in a browser (wasm): ');
    expect(text).toContain('no browser was found: CHROME_PATH is not set');
    expect(text).toContain('Browser tests: 0 passed, 0 failed');
    expect(status).toBe(0);
  });

  itOnLinux('fails if there is none and one is required', () => {
    const env = {...NO_BROWSER, REQUIRE_BROWSER: '1'};
    const {status, text} = runner(files('passing'), env);
    expect(text).toContain('A browser is required: ');
    expect(text).toContain('Browser tests: 0 passed, 1 failed');
    expect(status).toBe(1);
  });

  itInBrowser(
    'refuses a CHROME_PATH that is not a file, and wrong options',
    () => {
      const nowhere = runner(files('passing'), {CHROME_PATH: '/nowhere'});
      expect(nowhere.status).not.toBe(0);
      expect(nowhere.text).toContain('Received: CHROME_PATH=/nowhere');
      expect(runner(['--backend', 'cpu']).status).toBe(1);
      const nothing = runner(['--match', 'no such file']);
      expect(nothing.text).toContain('Received: --match no such file');
      expect(nothing.status).toBe(1);
      expect(runner(['--property-runs', '0']).text).toContain(
        'It must be a number above 0.',
      );
    },
  );
});
