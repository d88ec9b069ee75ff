import {Command, CommanderError, Option} from 'commander';
import {UsageError} from './failures.js';

/** Options of every subcommand. */
export interface CommonOptions {
  /** The path of the model. */
  readonly model: string;
  /** If true, prints JSON. */
  readonly json: boolean;
  /** Modules to load before the model, to register custom layers. */
  readonly import: readonly string[];
}

/** Options of the subcommands that write a model. */
export interface WritingOptions extends CommonOptions {
  /** The path to write to. */
  readonly output: string;
  /** If true, overwrites an existing model. */
  readonly force: boolean;
}

/** Options of `convert`. */
export interface ConvertOptions extends WritingOptions {
  /** The layers of the written model. Not given for a file of Keras. */
  readonly to?: 'normalization' | 'stock';
  /** If true, drops options that stock tf.js does not have. */
  readonly lossy: boolean;
}

/** The parsed command line. */
export type Request =
  | ({readonly command: 'inspect'} & CommonOptions)
  | ({readonly command: 'convert'} & ConvertOptions)
  | ({readonly command: 'fold'} & WritingOptions);

type Take = (request: Request) => void;

const NAME = 'tfjs-normalization';

const HELP = ['-h, --help', 'print this'] as const;

const DETAILS = `
Needs TensorFlow.js in the project: npm install @tensorflow/tfjs

Examples:
  npx tfjs-normalization inspect my-model
  npx tfjs-normalization fold my-model folded
  npx tfjs-normalization help convert

A model is written whole or not at all. --force overwrites an existing one.
Exit codes: 0 for success; 1 for failure; 2 for an invalid command line.
`;

/**
 * Reads the command line.
 *
 * @param print Takes the text of --help and --version.
 * @returns undefined if the command line asks only for these.
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
    // All that is left is `help` for an unknown command.
    throw new UsageError(`unknown command '${args[1] ?? ''}' (${NAME} --help)`);
  }
}

/**
 * @param help The command that prints the help to refer to.
 * @throws UsageError saying what is wrong; the error itself if help was asked
 *   for.
 */
function refuse(error: CommanderError, help: string): never {
  if (error.exitCode === 0 || error.code === 'commander.help') throw error;
  const what = error.message.replace(/^error: /, '').replace(/\.$/, '');
  throw new UsageError(`${what} (${help})`);
}

function createProgram(
  version: string,
  print: (text: string) => void,
  take: Take,
): Command {
  const program = new Command(NAME)
    .description(
      'Inspects, converts and folds models with normalization layers.',
    )
    .version(version, '--version', 'print the version')
    .helpOption(...HELP)
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', DETAILS)
    .showSuggestionAfterError(false)
    // The caller prints the error's message, so commander must not.
    .configureOutput({writeOut: print, writeErr: () => undefined})
    .exitOverride((error) => refuse(error, `${NAME} --help`));
  addInspect(program, take);
  addConvert(program, take);
  addFold(program, take);
  return program;
}

function addInspect(program: Command, take: Take): void {
  addCommand(
    program,
    'inspect',
    'shows normalization layers and their problems',
    [
      'my-model',
      '--json my-model/model.json',
      '--import ./my-layers.mjs my-model',
    ],
  ).action((model: string, options: CommonOptions) =>
    take({...options, command: 'inspect', model}),
  );
}

function addConvert(program: Command, take: Take): void {
  addWritingCommand(
    program,
    'convert',
    "converts a Keras or tf.js model to this package's layers, to tf.js's own, " +
      "or to Keras's",
    [
      'model.keras converted',
      'my-model model.keras',
      'keras-model converted --to normalization',
      'my-model for-stock --to stock',
      'my-model for-stock --to stock --lossy --force',
    ],
  )
    .addOption(
      new Option(
        '--to <layers>',
        "this package's layers, or tf.js's own",
      ).choices(['normalization', 'stock']),
    )
    .option(
      '--lossy',
      "drop options that tf.js's own layers do not have",
      false,
    )
    .action((model: string, output: string, options: ConvertOptions) => {
      take({...options, command: 'convert', model, output});
    });
}

function addFold(program: Command, take: Take): void {
  addWritingCommand(
    program,
    'fold',
    'folds batch normalization into the layers before it',
    ['my-model folded', 'my-model my-model --force'],
  ).action((model: string, output: string, options: WritingOptions) => {
    take({...options, command: 'fold', model, output});
  });
}

function addCommand(
  program: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  return program
    .command(name)
    .description(description)
    .helpOption(...HELP)
    .exitOverride((error) => refuse(error, `${NAME} ${name} --help`))
    .argument(
      '<model>',
      'a folder with a model.json, the file itself, or a .keras file',
    )
    .option('--json', 'print JSON', false)
    .addOption(
      new Option(
        '--import <module>',
        'load a module that registers custom layers; repeatable',
      )
        .argParser((module: string, before: string[]) => [...before, module])
        .default([], 'none'),
    )
    .addHelpText(
      'after',
      `\nExamples:\n${examples.map((e) => `  npx ${NAME} ${name} ${e}\n`).join('')}`,
    );
}

function addWritingCommand(
  program: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  return addCommand(program, name, description, examples)
    .argument(
      '<output>',
      'the folder to write to, the model.json in it, or a .keras file',
    )
    .option('--force', 'overwrite an existing model', false);
}
