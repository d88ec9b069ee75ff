/**
 * Runs `npm run bench:neighbours`: tf.js's own kernels with this package and
 * without.
 */
import {join} from 'node:path';
import Table from 'cli-table3';
import {Command} from 'commander';
import {
  namesOption,
  positiveNumber,
  readCommandLine,
} from '../tools/command_line.js';
import {InputError, oneLine, reasonOf} from '../tools/errors.js';
import {type BackendName, BACKENDS} from '../tools/backend_names.js';
import {rounded} from './figures.js';
import {
  type Neighbour,
  type NeighbourRow,
  NEIGHBOURS,
  rowOf,
  type Turn,
} from './neighbours_result.js';
import {Peer} from './peer.js';
import {createProgress} from './progress.js';

const PROGRAM = join(__dirname, 'neighbours_program.js');
const BAD_INPUT = 2;

interface Options {
  readonly backend: readonly BackendName[];
  readonly pairs: number;
  readonly turns: number;
  readonly slice: number;
}

/** Two processes, one of which has used this package. */
interface Pair {
  readonly without: Peer;
  readonly used: Peer;
}

async function main(args: readonly string[]): Promise<void> {
  const command = new Command('npm run bench:neighbours --')
    .description(
      "Times tf.js's own conv2d, matMul and a small ResNet in pairs of processes, " +
        'one that has used this package and one that never loads it, turn by turn.',
    )
    .addOption(namesOption('--backend <names...>', 'one or several', BACKENDS))
    .option('--pairs <n>', 'pairs of processes', positiveNumber, 6)
    .option('--turns <n>', 'turns of each pair', positiveNumber, 20)
    .option('--slice <ms>', 'milliseconds of a turn', positiveNumber, 100);
  const options = readCommandLine(command, args, (text) =>
    process.stdout.write(text),
  ) as Options | undefined;
  if (options === undefined) return;
  const {backend: backends, pairs} = options;
  const progress = createProgress(backends.length * pairs);
  const rows: NeighbourRow[] = [];
  const skipped: string[] = [];
  for (const backend of backends) {
    try {
      const begin = progress.begin.bind(progress);
      rows.push(...(await measure(backend, options, begin)));
    } catch (error) {
      skipped.push(`Skipped: ${backend}: ${oneLine(reasonOf(error))}`);
    }
  }
  progress.end();
  console.log([tableOf(rows), ...skipped].join('\n'));
}

async function measure(
  backend: BackendName,
  {pairs, turns, slice}: Options,
  begin: (what: string) => void,
): Promise<NeighbourRow[]> {
  const found = new Map<Neighbour, Turn[][]>();
  for (let i = 0; i < pairs; i++) {
    begin(`${backend}, pair ${i + 1}`);
    const pair = await startPair(backend, i);
    try {
      for (const neighbour of NEIGHBOURS) {
        const own = await takeTurns(pair, neighbour, turns, slice);
        found.set(neighbour, [...(found.get(neighbour) ?? []), own]);
      }
    } finally {
      pair.without.close();
      pair.used.close();
    }
  }
  return [...found].map(([neighbour, own]) => rowOf(backend, neighbour, own));
}

/** Starts one kind first in every other pair. */
async function startPair(backend: BackendName, index: number): Promise<Pair> {
  const start = async (kind: keyof Pair): Promise<Peer> => {
    const args = ['--no-deprecation', PROGRAM, backend, kind];
    return (await Peer.start(process.execPath, args, kind)).peer;
  };
  if (index % 2 === 1) {
    const used = await start('used');
    return {used, without: await start('without')};
  }
  const without = await start('without');
  return {without, used: await start('used')};
}

/** The other process waits meanwhile; the one that begins changes with each turn. */
async function takeTurns(
  {without, used}: Pair,
  neighbour: Neighbour,
  turns: number,
  budget: number,
): Promise<Turn[]> {
  const ask = async (peer: Peer): Promise<number> =>
    (await peer.ask({neighbour, budget})).milliseconds ?? NaN;
  const found: Turn[] = [];
  for (let turn = 0; turn < turns; turn++) {
    if (turn % 2 === 1) {
      const after = await ask(used);
      found.push({used: after, without: await ask(without)});
    } else {
      const before = await ask(without);
      found.push({without: before, used: await ask(used)});
    }
  }
  return found;
}

function tableOf(rows: readonly NeighbourRow[]): string {
  const table = new Table({
    head: ['', 'without, ms', 'used, ms', 'used / without', 'of pairs'],
    style: {head: [], border: [], compact: true},
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const {backend, neighbour, without, used, ratio, range} of rows) {
    table.push([
      `${backend}, ${neighbour}`,
      rounded(without),
      rounded(used),
      ratio.toFixed(3),
      range.map((each) => each.toFixed(2)).join(' to '),
    ]);
  }
  return table.toString();
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  console.error(oneLine(error.message));
  process.exitCode = BAD_INPUT;
});
