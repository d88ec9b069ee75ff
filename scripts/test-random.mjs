// Runs the tests of properties with random cases other than those of `npm test`.
import {spawnSync} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

const HELP = `Usage: npm run test:random [-- --rounds N] [--seed S] [--select PROJECT …]

Tests every property with new random cases, on each backend that is installed.

--rounds N  rounds, each with a seed of its own (1)
--seed S    the seed of the first round, which its output names (a random one)
--select    only these of jest's projects: cpu, wasm, tensorflow, native, once`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');

main();

function main() {
  const {values, positionals} = parseArgs({
    allowPositionals: true,
    options: {
      help: {type: 'boolean'},
      rounds: {type: 'string', default: '1'},
      seed: {type: 'string'},
      select: {type: 'string', multiple: true, default: []},
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const rounds = count('rounds', values.rounds);
  const first =
    values.seed === undefined ? undefined : count('seed', values.seed);
  const projects = [...values.select, ...positionals];
  const failed = Array.from({length: rounds}, (_, round) =>
    first === undefined ? randomInt(1, 2 ** 31) : first + round,
  ).filter((seed) => !passes(seed, projects));
  console.log(
    failed.length === 0
      ? `All properties hold in ${rounds} of ${rounds} rounds.`
      : `Failed with --seed ${failed.join(', ')}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

function passes(seed, projects) {
  console.log(`\n== --seed ${seed}`);
  const {status} = spawnSync(
    process.execPath,
    [
      ...[jest, '--runTestsByPath', ...filesWithProperties()],
      ...(projects.length > 0 ? ['--selectProjects', ...projects] : []),
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {...process.env, RANDOM_SEED: String(seed)},
    },
  );
  return status === 0;
}

function filesWithProperties() {
  return readdirSync(join(root, 'test'), {recursive: true})
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('browser'))
    .map((name) => join(root, 'test', name))
    .filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'"));
}

function count(name, value) {
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  throw new Error(`--${name} takes a whole number above 0. Received: ${value}`);
}
