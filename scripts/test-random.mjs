// `npm run test:random`: runs the tests of properties with random cases other than those
// of `npm test`.
import {spawnSync} from 'node:child_process';
import {randomInt} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Command, InvalidArgumentError} from 'commander';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');

const options = new Command('npm run test:random --')
  .description('Tests every property with new random cases.')
  .option('--rounds <number>', 'each with a seed of its own', parseCount, 1)
  .option(
    '--seed <number>',
    'of the first round, as its output names it (default: a random one)',
    parseCount,
  )
  .option('--select <projects...>', "of jest's (default: all that are there)")
  .parse()
  .opts();

const first = options.seed ?? randomInt(1, 2 ** 31);
const seeds = Array.from({length: options.rounds}, (_, i) => first + i);
const failed = seeds.filter((seed) => !holdsWith(seed));
console.log(
  failed.length === 0
    ? `All properties hold in all rounds: ${options.rounds}.`
    : `Failed with --seed ${failed.join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

function holdsWith(seed) {
  console.log(`\n== --seed ${seed}`);
  const which = ['--findRelatedTests', ...filesWithProperties()];
  if (options.select) which.push('--selectProjects', ...options.select);
  const {status} = spawnSync(process.execPath, [jest, ...which], {
    cwd: root,
    stdio: 'inherit',
    env: {...process.env, RANDOM_SEED: String(seed)},
  });
  return status === 0;
}

/** Lists tests with properties, and helpers that other tests have theirs from. */
function filesWithProperties() {
  return readdirSync(join(root, 'test'), {recursive: true})
    .filter((name) => name.endsWith('.ts') && !name.startsWith('browser'))
    .map((name) => join(root, 'test', name))
    .filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'"));
}

function parseCount(text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number above 0.');
}
