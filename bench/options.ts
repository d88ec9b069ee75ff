import {Command, InvalidArgumentError} from 'commander';
import {
  namesOption,
  positiveNumber,
  readCommandLine,
  somePath,
} from '../examples/digits/command_line.js';
import {type BackendName, BACKENDS} from '../examples/digits/options.js';

/** What can be chosen on the command line. */
export interface Options {
  readonly backend: readonly BackendName[];
  /** None: those of the benchmark. */
  readonly shape?: ReadonlyArray<readonly number[]>;
  readonly programs: boolean;
  readonly quick: boolean;
  /** In seconds, as is the limit. None: what goes with being quick or not. */
  readonly budget?: number;
  readonly limit?: number;
  readonly out?: string;
}

const RANKS = [2, 3, 4];

const DETAILS = `
Without --shape and --programs it measures both: layers, by themselves, and whole
programs. The full run takes about a quarter of an hour and renews
bench/results.json and bench/chart.svg; a part of it writes to out/bench.

Times are medians; the percentage after them is half of the distance between the
quartiles. PyTorch takes part where python3, or what the environment variable
PYTHON names, can import it.

Exit codes: 0; 2 for input that cannot be used; 130 after Ctrl-C, which writes
nothing.
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
  const command = new Command('npm run bench --')
    .description(
      'Times normalization by stock tf.js, by this package and by PyTorch.',
    )
    .addOption(namesOption('--backend <names...>', 'one or several', BACKENDS))
    .option(
      '--shape <sizes...>',
      'layers on such an input only, as 32,28,28,64; one or several',
      parseShape,
    )
    .option('--programs', 'whole programs only', false)
    .option('--quick', 'one input, few runs, no whole programs', false)
    .option('--budget <seconds>', 'for each figure', positiveNumber)
    .option('--limit <seconds>', 'stock that needs more is out', positiveNumber)
    .option('--out <folder>', 'where the results go', somePath)
    .addHelpText('after', DETAILS);
  return readCommandLine(command, args, print) as Options | undefined;
}

function parseShape(
  text: string,
  previous: ReadonlyArray<readonly number[]> = [],
): number[][] {
  const sizes = text.replace(/^\[|\]$/g, '').split(',');
  const shape = sizes.map((size) => (size.trim() === '' ? NaN : Number(size)));
  const isShape =
    RANKS.includes(shape.length) &&
    shape.every((size) => Number.isSafeInteger(size) && size > 0);
  if (isShape) return [...previous.map((sizes) => [...sizes]), shape];
  throw new InvalidArgumentError(
    'It must be two to four whole numbers from 1, separated by commas.',
  );
}
