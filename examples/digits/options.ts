import {join, relative} from 'node:path';
import {Command, Option} from 'commander';
import {
  checkedNumber,
  namesOption,
  positiveInteger,
  positiveNumber,
  readCommandLine,
  somePath,
} from '../../tools/command_line.js';
import {type BackendName, BACKENDS} from '../../tools/backend_names.js';
import {CSV_FORMAT} from './data_csv.js';
import {IDX_FORMAT} from './data_idx.js';
import {
  ACTIVATIONS,
  type Activation,
  MOVING_AVERAGES,
  type MovingAverage,
  type Norm,
  NORMS,
} from './norms.js';

/** The options of the command line. */
export interface Options {
  data: string;
  norm: Norm[];
  activation: Activation;
  epochs: number;
  batchSize: number;
  learningRate: number;
  momentum: number;
  movingAverage: MovingAverage;
  recalibrate: boolean;
  seed: number;
  /** Defaults to the first that loads. */
  backend?: BackendName;
  out: string;
  quiet: boolean;
}

/** This file runs as build/examples/digits/options.js. */
export const ROOT = join(__dirname, '..', '..', '..');
/** The data that comes with the repository. */
export const DIGITS = join(ROOT, 'examples', 'digits', 'data', 'digits.csv');

const LARGEST_SEED = 2 ** 32 - 1;

const DETAILS = `
The runs: none, a network without normalization; batch, the same with BatchNorm
before each activation; layer, with LayerNorm there; none-relu, without
normalization, but with ReLU and He initialization.

With --recalibrate, the accuracy of BatchNorm is also measured with the
statistics of the training set in place of its moving averages.

A CSV file:
${CSV_FORMAT}

A folder of IDX files:
${IDX_FORMAT}

Exit codes: 0 for success; 1 if a reloaded model predicts differently; 2 for
invalid input; 130 after Ctrl-C, which finishes the batch and saves.
`;

/**
 * Reads the command line.
 *
 * @param print Takes the text of --help.
 * @returns undefined if the command line asks only for --help.
 * @throws InputError naming the wrong option and value.
 */
export function parseOptions(
  args: readonly string[],
  print: (text: string) => void,
): Options | undefined {
  return readCommandLine(createCommand(), args, print) as Options | undefined;
}

function createCommand(): Command {
  return new Command('npm start --')
    .description(
      'Trains networks on handwritten digits, with and without normalization.',
    )
    .option(
      '--data <path>',
      'CSV file, or folder of IDX files',
      somePath,
      relative('', DIGITS),
    )
    .addOption(
      namesOption(
        '--norm <names>',
        'runs, one or several: a,b or repeated',
        NORMS,
      ),
    )
    .addOption(activationOption())
    .option('--epochs <n>', 'times through the data', positiveInteger, 30)
    .option('--batch-size <n>', 'images in a batch', positiveInteger, 60)
    .option('--learning-rate <x>', 'step of SGD', positiveNumber, 0.1)
    .option(
      '--momentum <x>',
      "weight of the old value in BatchNorm's moving average",
      fractionBelowOne,
      0.99,
    )
    .addOption(movingAverageOption())
    .option('--recalibrate', "also with the training set's statistics", false)
    .option('--seed <n>', 'the same seed, the same run', seed, 1)
    .addOption(backendOption())
    .option(
      '--out <folder>',
      'where the results go',
      somePath,
      join('out', 'digits'),
    )
    .option('--quiet', 'no progress, only the results', false)
    .addHelpText('after', DETAILS);
}

function activationOption(): Option {
  return new Option('--activation <name>', 'of the hidden layers')
    .choices(ACTIVATIONS)
    .default('sigmoid');
}

function movingAverageOption(): Option {
  return new Option('--moving-average <name>', "BatchNorm's option")
    .choices(MOVING_AVERAGES)
    .default('debiased');
}

function backendOption(): Option {
  return new Option(
    '--backend <name>',
    'default: the first that loads',
  ).choices(BACKENDS);
}

function fractionBelowOne(text: string): number {
  return checkedNumber(
    text,
    (n) => n >= 0 && n < 1,
    'a number from 0 to below 1',
  );
}

function seed(text: string): number {
  return checkedNumber(
    text,
    (n) => Number.isInteger(n) && n >= 0 && n <= LARGEST_SEED,
    `a whole number from 0 to ${LARGEST_SEED}`,
  );
}
