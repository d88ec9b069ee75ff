import {join, relative} from 'node:path';
import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {CSV_FORMAT} from './data_csv.js';
import {IDX_FORMAT} from './data_idx.js';
import {InputError} from './errors.js';
import {
  ACTIVATIONS,
  type Activation,
  MOVING_AVERAGES,
  type MovingAverage,
  type Norm,
  NORMS,
} from './norms.js';

/** The backends that the program can run on, the preferred ones first. */
export const BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;

export type BackendName = (typeof BACKENDS)[number];

/** What can be chosen on the command line. */
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
  /** None: the first that loads. */
  backend?: BackendName;
  out: string;
  quiet: boolean;
}

/** This file runs as build/examples/digits/options.js. */
const ROOT = join(__dirname, '..', '..', '..');
/** The data that comes with the repository. */
export const DIGITS = join(ROOT, 'examples', 'digits', 'data', 'digits.csv');

const LARGEST_SEED = 2 ** 32 - 1;

const DETAILS = `
The runs: none, a network without normalization; batch, the same with BatchNorm
before each activation; layer, with LayerNorm there; none-relu, without
normalization, but with ReLU and He initialization.

With --recalibrate, the accuracy of BatchNorm is also measured with the
statistics of the training set in the place of its moving averages.

A CSV file:
${CSV_FORMAT}

A folder of IDX files:
${IDX_FORMAT}

Exit codes: 0; 1 if a model that was loaded again predicts otherwise; 2 for
input that cannot be used; 130 after Ctrl-C, which finishes the batch and saves.
`;

/**
 * Reads the command line.
 *
 * @param print Takes the text of --help.
 * @returns undefined where that was all that was asked for.
 * @throws InputError naming the option and the value that are wrong.
 */
export function parseOptions(
  args: readonly string[],
  print: (text: string) => void,
): Options | undefined {
  const command = createCommand().configureOutput({
    writeOut: print,
    // The message is the error's, and told once.
    writeErr: () => undefined,
  });
  try {
    return command.parse(args, {from: 'user'}).opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new InputError(explain(error, args));
  }
}

function createCommand(): Command {
  return new Command('npm start --')
    .description(
      'Trains networks on handwritten digits, with normalization and without.',
    )
    .option(
      '--data <path>',
      'CSV file, or folder of IDX files',
      somePath,
      relative('', DIGITS),
    )
    .addOption(normOption())
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
    .addHelpText('after', DETAILS)
    .helpOption('--help', 'print this')
    .showSuggestionAfterError(false)
    .exitOverride();
}

function normOption(): Option {
  return new Option('--norm <names>', 'runs, one or several: a,b or repeated')
    .argParser(parseNorms)
    .default([...NORMS], NORMS.join(','));
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

/** Commander keeps no count of how often an option came: the default is whole. */
const repeated = new WeakSet<Norm[]>();

function parseNorms(text: string, previous: Norm[]): Norm[] {
  const added = text.split(',').map(parseNorm);
  const earlier = repeated.has(previous) ? previous : [];
  const norms = [...new Set([...earlier, ...added])];
  repeated.add(norms);
  return norms;
}

function parseNorm(text: string): Norm {
  const norm = NORMS.find((name) => name === text.trim());
  if (norm !== undefined) return norm;
  throw new InvalidArgumentError(`Allowed choices are ${NORMS.join(', ')}.`);
}

function somePath(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must be a path.');
}

function positiveInteger(text: string): number {
  return checked(
    text,
    (n) => Number.isSafeInteger(n) && n > 0,
    'a whole number from 1',
  );
}

function positiveNumber(text: string): number {
  return checked(text, (n) => n > 0, 'a number above 0');
}

function fractionBelowOne(text: string): number {
  return checked(text, (n) => n >= 0 && n < 1, 'a number from 0 to below 1');
}

function seed(text: string): number {
  return checked(
    text,
    (n) => Number.isInteger(n) && n >= 0 && n <= LARGEST_SEED,
    `a whole number from 0 to ${LARGEST_SEED}`,
  );
}

function checked(
  text: string,
  isRight: (value: number) => boolean,
  expected: string,
): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && isRight(value)) return value;
  throw new InvalidArgumentError(`It must be ${expected}.`);
}

function explain(
  {message, code}: CommanderError,
  args: readonly string[],
): string {
  const what = message.replace(/^error: /, '').replace(/\.$/, '');
  // npm keeps to itself what comes before the two hyphens.
  if (code === 'commander.excessArguments') {
    const values = args.join(' ');
    return `too many arguments: ${values} (options follow --: npm start -- --help)`;
  }
  return `${what} (npm start -- --help)`;
}
