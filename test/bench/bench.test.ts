import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {CONTENDERS, isTiming, type Results} from '../../bench/results.js';
import {type Ended, endOf, snapshot} from '../examples/digits_program.js';
import {temporaryFolder} from '../package/scripts.js';

const ROOT = resolve(__dirname, '..', '..');
const MAIN = join(ROOT, 'build', 'bench', 'main.js');
const folder = temporaryFolder();

/** Runs the compiled program without PyTorch. */
function runBench(...args: string[]): Promise<Ended> {
  return endOf(startBench(...args));
}

function startBench(...args: string[]): ChildProcess {
  if (!existsSync(MAIN)) {
    throw new Error(
      `${MAIN} is missing: "node scripts/start.mjs --build-only" makes it`,
    );
  }
  const env = {...process.env, PYTHON: join(folder, 'python')};
  return spawn(process.execPath, [MAIN, ...args], {cwd: ROOT, env});
}

const SMALL = ['--backend', 'cpu', '--shape', '3,2,2,4', '--quick'];

describe('npm run bench', () => {
  it('measures, prints a table and writes its results and a chart', async () => {
    const before = snapshot(join(ROOT, 'bench'));
    const out = join(folder, 'results');
    const {code, stdout, stderr} = await runBench(...SMALL, '--out', out);
    expect(code).toBe(0);
    expect(stderr).toContain('20/20  cpu, rms norm [3,4,2,2], axis 1');
    expect(stdout).toContain('cpu, forward and backward, ms');
    expect(stdout).toContain(join(out, 'results.json'));
    // No temporary files.
    expect(readdirSync(out).sort()).toEqual(['chart.svg', 'results.json']);
    const text = readFileSync(join(out, 'results.json'), 'utf8');
    const results = JSON.parse(text) as Results;
    expect(results).toMatchObject({
      quick: true,
      machine: {cores: expect.any(Number) as number},
      versions: {node: process.versions.node, libtensorflow: null, torch: null},
      skipped: [expect.stringMatching(/PyTorch: .* does not start/) as string],
      programs: [],
      folding: [],
    });
    expect(results.layers).toHaveLength(20);
    for (const {cells} of results.layers) {
      expect(Object.keys(cells)).toEqual(CONTENDERS);
      expect(isTiming(cells.composed) && isTiming(cells.add)).toBe(true);
    }
    // The folder of the whole benchmark is unchanged.
    expect(snapshot(join(ROOT, 'bench'))).toEqual(before);
  });

  it('leaves old results whole if it cannot write new ones', async () => {
    const out = join(folder, 'blocked');
    mkdirSync(join(out, 'results.json'), {recursive: true});
    const {code, stderr} = await runBench(...SMALL, '--out', out);
    expect(code).toBe(2);
    const lines = stderr.trim().split('\n');
    expect(lines[lines.length - 1]).toContain(
      'results.json: cannot be written',
    );
    expect(readdirSync(out)).toEqual(['results.json']);
  });

  it('ends on Ctrl-C, and writes nothing', async () => {
    const out = join(folder, 'interrupted');
    const child = startBench(...SMALL, '--budget', '60', '--out', out);
    child.stderr?.once('data', () => child.kill('SIGINT'));
    const {code, stdout} = await endOf(child);
    expect(code).toBe(130);
    expect(stdout).toBe('');
    expect(readdirSync(out)).toEqual([]);
  });

  it.each([
    [['--shape', '7'], /^option '--shape/],
    [['--backend', 'opengl'], /^option '--backend/],
    [['--backend', 'webgl', '--programs'], /^--programs: .* run on webgl/],
  ])('refuses %j in one line, before it begins', async (args, message) => {
    const {code, stdout, stderr} = await runBench(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('prints help', async () => {
    const {code, stdout} = await runBench('--help');
    expect(code).toBe(0);
    expect(stdout).toContain('npm run bench --');
  });
});
