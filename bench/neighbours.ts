/**
 * Runs `npm run bench:neighbours`: tf.js's own kernels with this package and
 * without.
 */
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import Table from 'cli-table3';
import {Command} from 'commander';
import {
  namesOption,
  positiveNumber,
  readCommandLine,
} from '../examples/digits/command_line.js';
import {InputError, oneLine, reasonOf} from '../examples/digits/errors.js';
import {percent} from '../examples/digits/format.js';
import {type BackendName, BACKENDS} from '../examples/digits/options.js';
import {rounded} from './figures.js';
import {type NeighbourRow, rowsOf, type Times} from './neighbours_result.js';
import {createProgress} from './progress.js';

const PROGRAM = join(__dirname, 'neighbours_program.js');
const BAD_INPUT = 2;
const MILLISECONDS = 1000;

interface Options {
  readonly backend: readonly BackendName[];
  readonly processes: number;
  readonly budget: number;
}

function main(args: readonly string[]): void {
  const command = new Command('npm run bench:neighbours --')
    .description(
      "Times tf.js's own conv2d, matMul and a small ResNet in processes that have " +
        'used this package and in others that never load it, in turn.',
    )
    .addOption(namesOption('--backend <names...>', 'one or several', BACKENDS))
    .option('--processes <n>', 'of each kind', positiveNumber, 5)
    .option('--budget <seconds>', 'for each figure', positiveNumber, 2);
  const options = readCommandLine(command, args, (text) =>
    process.stdout.write(text),
  ) as Options | undefined;
  if (options === undefined) return;
  const {backend: backends, processes} = options;
  const progress = createProgress(backends.length * processes);
  const rows: NeighbourRow[] = [];
  const skipped: string[] = [];
  for (const backend of backends) {
    try {
      rows.push(...measure(backend, options, progress.begin.bind(progress)));
    } catch (error) {
      skipped.push(`Skipped: ${backend}: ${oneLine(reasonOf(error))}`);
    }
  }
  progress.end();
  console.log([tableOf(rows), ...skipped].join('\n'));
}

function measure(
  backend: BackendName,
  {processes, budget}: Options,
  begin: (what: string) => void,
): NeighbourRow[] {
  const without: Times[] = [];
  const used: Times[] = [];
  for (let i = 0; i < processes; i++) {
    begin(`${backend}, processes ${i + 1} of each kind`);
    without.push(runProcess(backend, 'without', budget));
    used.push(runProcess(backend, 'used', budget));
  }
  return rowsOf(backend, without, used);
}

function runProcess(
  backend: BackendName,
  kind: 'without' | 'used',
  budget: number,
): Times {
  const args = [backend, kind, String(budget * MILLISECONDS)];
  const output = execFileSync(
    process.execPath,
    ['--no-deprecation', PROGRAM, ...args],
    {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']},
  );
  const lines = output.trim().split('\n');
  return JSON.parse(lines[lines.length - 1] ?? '') as Times;
}

function tableOf(rows: readonly NeighbourRow[]): string {
  const table = new Table({
    head: ['', 'without, ms', 'used, ms', 'used / without', 'spread'],
    style: {head: [], border: [], compact: true},
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const {backend, neighbour, without, used, ratio, spread} of rows) {
    table.push([
      `${backend}, ${neighbour}`,
      rounded(without),
      rounded(used),
      ratio.toFixed(3),
      percent(spread),
    ]);
  }
  return table.toString();
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(oneLine(error.message));
  process.exitCode = BAD_INPUT;
}
