// Tests what a failing test tells, in its message, at the end of a run, and in the file
// of results that the gate reads.
import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {ROOT, temporaryFolder} from './scripts.js';

const FIXTURES = 'test/browser/fixtures';

describe('npm test', () => {
  const folder = temporaryFolder();

  /** Runs fixtures on cpu as the tests are run. */
  const run = (config: string, ...names: string[]): string => {
    const files = names.map((name) => join(ROOT, FIXTURES, `${name}.test.ts`));
    const settings = join(folder, 'jest.config.js');
    writeFileSync(
      settings,
      `const config = require(${JSON.stringify(join(ROOT, config))});
      const [project] = config.projects;
      const testMatch = ${JSON.stringify(files)};
      const projects = [{...project, testMatch}];
      module.exports = {...config, rootDir: ${JSON.stringify(ROOT)}, projects};`,
    );
    const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
    const {stdout, stderr} = spawnSync(
      process.execPath,
      [jest, '--config', settings, '--ci'],
      {
        cwd: ROOT,
        encoding: 'utf8',
        env: {...process.env, TEST_RESULTS: join(folder, 'results.json')},
      },
    );
    return stdout + stderr;
  };
  const results = (): string => join(folder, 'results.json');

  it('names the layer, the backend and the seed where a property fails', () => {
    const text = run('jest.config.js', 'property');
    expect(text).toMatch(/● LayerNorm has a property that fails\n/);
    expect(text).toMatch(/\{ seed: -?\d+, path: /);
    expect(text).toContain('\n    Backend: cpu\n');
  });

  it('lists the failed tests at the end, and in a file', () => {
    const text = run('jest.config.js', 'failing', 'throwing');
    const failedTests = [1, 2].map(
      (value) =>
        `cpu › ${FIXTURES}/failing.test.ts › a fixture › ` +
        `fails as it should: ${value} is three`,
    );
    failedTests.push(`cpu › ${FIXTURES}/throwing.test.ts does not run`);
    for (const name of failedTests) expect(text).toContain(`\n  ${name}\n`);
    const found = JSON.parse(readFileSync(results(), 'utf8')) as {
      failedTests: string[];
    };
    expect({...found, failedTests: found.failedTests.sort()}).toEqual({
      numPassedTests: 1,
      numFailedTests: 3,
      failedTests,
    });
    expect(sumOf(results(), join(folder, 'none.json'))).toEqual([
      '1 4',
      ...found.failedTests,
      'tests that have ended without results',
    ]);
  });

  it('says what it leaves out, and how to run everything', () => {
    expect(existsSync(join(ROOT, 'jest.short.config.js'))).toBe(true);
    expect(run('jest.short.config.js', 'failing')).toMatch(
      /\nLeft out: .*\. "npm run test:all" runs everything\.\n/,
    );
    expect(run('jest.config.js', 'failing')).not.toContain('Left out');
  });
});

function sumOf(...files: string[]): string[] {
  const script = join(ROOT, 'scripts', 'test-results.mjs');
  const {stdout} = spawnSync(process.execPath, [script, ...files], {
    encoding: 'utf8',
  });
  return stdout.trim().split('\n');
}
