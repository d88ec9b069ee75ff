import {Command, CommanderError, Option} from 'commander';
import {UsageError} from './failures.js';

/** What every subcommand can be told. */
export interface CommonOptions {
  /** The path of the model. */
  readonly model: string;
  /** Whether the answer is JSON. */
  readonly json: boolean;
}

/** What those can be told that write a model. */
export interface WritingOptions extends CommonOptions {
  /** The path to write to. */
  readonly output: string;
  /** Whether a model that is there may be written over. */
  readonly force: boolean;
}

/** What `convert` can be told. */
export interface ConvertOptions extends WritingOptions {
  /** Whose layers the model is to have. */
  readonly to: 'normalization' | 'stock';
  /** Whether what stock tf.js does not have may be lost. */
  readonly lossy: boolean;
}

/** What the command line asks for. */
export type Request =
  | ({readonly command: 'inspect'} & CommonOptions)
  | ({readonly command: 'convert'} & ConvertOptions)
  | ({readonly command: 'fold'} & WritingOptions);

type Take = (request: Request) => void;

const NAME = 'tfjs-normalization';

const DETAILS = `
Needs TensorFlow.js in the project: npm install @tensorflow/tfjs

A model is written whole or not at all, and over another only with --force.
Exit codes: 0; 1 if it fails; 2 for a command line that cannot be used.
`;

/**
 * Reads the command line.
 *
 * @param print Takes the text of --help and --version.
 * @returns undefined where that was all that was asked for.
 * @throws UsageError saying what is wrong.
 */
export function parseRequest(
  args: readonly string[],
  version: string,
  print: (text: string) => void,
): Request | undefined {
  let request: Request | undefined;
  const program = createProgram(version, print, (asked) => (request = asked));
  try {
    program.parse(args.length === 0 ? ['--help'] : args, {from: 'user'});
    return request;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const what = error.message.replace(/^error: /, '').replace(/\.$/, '');
    throw new UsageError(`${what} (${NAME} --help)`);
  }
}

function createProgram(
  version: string,
  print: (text: string) => void,
  take: Take,
): Command {
  const program = new Command(NAME)
    .description('Works on trained models with normalization layers.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this')
    .helpCommand(false)
    .addHelpText('after', DETAILS)
    .showSuggestionAfterError(false)
    // The message is the error's, and told once.
    .configureOutput({writeOut: print, writeErr: () => undefined})
    .exitOverride();
  addInspect(program, take);
  addConvert(program, take);
  addFold(program, take);
  return program;
}

function addInspect(program: Command, take: Take): void {
  addCommand(
    program,
    'inspect',
    'shows normalization layers, and what looks wrong',
  ).action((model: string, {json}: CommonOptions) =>
    take({command: 'inspect', model, json}),
  );
}

function addConvert(program: Command, take: Take): void {
  addWritingCommand(
    program,
    'convert',
    "puts a model of Keras or tf.js on this package's layers, or on tf.js's own",
  )
    .addOption(
      new Option('--to <layers>', 'whose layers it is to have')
        .choices(['normalization', 'stock'])
        .makeOptionMandatory(),
    )
    .option('--lossy', "lose what tf.js's own layers do not have", false)
    .action((model: string, output: string, options: ConvertOptions) => {
      const {json, force, to, lossy} = options;
      take({command: 'convert', model, output, json, force, to, lossy});
    });
}

function addFold(program: Command, take: Take): void {
  addWritingCommand(
    program,
    'fold',
    'folds batch normalization into the layers before it',
  ).action((model: string, output: string, options: WritingOptions) => {
    const {json, force} = options;
    take({command: 'fold', model, output, json, force});
  });
}

function addCommand(
  program: Command,
  name: string,
  description: string,
): Command {
  return program
    .command(name)
    .description(description)
    .helpOption('--help', 'print this')
    .argument('<model>', 'a folder with a model.json, or such a file')
    .option('--json', 'print JSON', false);
}

function addWritingCommand(
  program: Command,
  name: string,
  description: string,
): Command {
  return addCommand(program, name, description)
    .argument('<output>', 'the folder to write to, or the model.json in it')
    .option('--force', 'write over the model that is there', false);
}
