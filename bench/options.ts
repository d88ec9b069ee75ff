import {Command, InvalidArgumentError} from 'commander';
import {
  namesOption,
  positiveNumber,
  readCommandLine,
  somePath,
} from '../tools/command_line.js';
import {BACKENDS} from '../tools/backend_names.js';
import {InputError} from '../tools/errors.js';
import {type BenchBackend, GPU_BACKENDS, isDefault} from './results.js';

/** The options of the command line. */
export interface Options {
  readonly backend: readonly BenchBackend[];
  /** Defaults to the inputs of the benchmark. */
  readonly shape?: ReadonlyArray<readonly number[]>;
  readonly programs: boolean;
  readonly quick: boolean;
  /** If true, the native kernels compute on tensorflow, and no other backend is measured. */
  readonly native: boolean;
  /** If true, measures what a small step takes between its kernels, and nothing else. */
  readonly overhead?: boolean;
  /** In seconds, like the limit. The default depends on `quick`. */
  readonly budget?: number;
  readonly limit?: number;
  readonly out?: string;
}

const RANKS = [2, 3, 4];

const DETAILS = `
Without --shape and --programs it measures both: single layers, and whole
programs. The full run takes about half an hour and renews
bench/results.json and bench/chart.svg; a part of it writes to out/bench.

webgl and webgpu run in a headless Chromium, layers only; there is no PyTorch beside
them, and stock runs in the same page. Without a GPU they run in software.

Times are medians; the percentage after them is half of the distance between the
quartiles. PyTorch is included if python3, or the interpreter in the environment
variable PYTHON, can import it.

Exit codes: 0 for success; 2 for invalid input; 130 after Ctrl-C, which writes
nothing.
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
  const command = new Command('npm run bench --')
    .description(
      'Times normalization by stock tf.js, by this package and by PyTorch.',
    )
    .addOption(
      namesOption(
        '--backend <names...>',
        'one or several',
        [...BACKENDS, ...GPU_BACKENDS],
        BACKENDS,
      ),
    )
    .option(
      '--shape <sizes...>',
      'layers on such an input only, as 32,28,28,64; one or several',
      parseShape,
    )
    .option('--programs', 'whole programs only', false)
    .option('--quick', 'one input, few runs, no whole programs', false)
    .option('--native', 'tensorflow alone, by the native kernels', false)
    .option('--overhead', 'only what a small step takes between its kernels')
    .option('--budget <seconds>', 'for each figure', positiveNumber)
    .option('--limit <seconds>', 'stock that needs more is out', positiveNumber)
    .option('--out <folder>', 'where the results go', somePath)
    .addHelpText('after', DETAILS);
  const options = readCommandLine(command, args, print) as Options | undefined;
  return options?.native ? ofNative(options) : options;
}

/** The native kernels are tensorflow's. */
function ofNative(options: Options): Options {
  const {backend} = options;
  if (!isDefault(backend) && backend.join() !== 'tensorflow') {
    throw new InputError(
      `--native: tensorflow alone has native kernels. Received: --backend ${backend.join(',')}`,
    );
  }
  return {...options, backend: ['tensorflow']};
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
