import {Command, CommanderError, Option} from 'commander';
import {UsageError} from './failures.js';

/** What every subcommand can be told. */
export interface CommonOptions {
  /** The path of the model. */
  readonly model: string;
  /** Whether the answer is JSON. */
  readonly json: boolean;
  /** Modules to load before the model, which register custom layers. */
  readonly import: readonly string[];
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

const HELP = ['-h, --help', 'print this'] as const;

const DETAILS = `
Needs TensorFlow.js in the project: npm install @tensorflow/tfjs

Examples:
  npx tfjs-normalization inspect my-model
  npx tfjs-normalization fold my-model folded
  npx tfjs-normalization help convert

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
    // What is left is `help` of a command that there is not.
    throw new UsageError(`unknown command '${args[1] ?? ''}' (${NAME} --help)`);
  }
}

/**
 * @param help What prints the help that is about it.
 * @throws UsageError saying what is wrong; the error itself if it is about help.
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
    .description('Works on trained models with normalization layers.')
    .version(version, '--version', 'print the version')
    .helpOption(...HELP)
    .helpCommand('help [command]', 'print what a command takes')
    .addHelpText('after', DETAILS)
    .showSuggestionAfterError(false)
    // The message is the error's, and told once.
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
    'shows normalization layers, and what looks wrong',
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
    "puts a model of Keras or tf.js on this package's layers, or on tf.js's own",
    [
      'keras-model converted --to normalization',
      'my-model for-stock --to stock',
      'my-model for-stock --to stock --lossy --force',
    ],
  )
    .addOption(
      new Option('--to <layers>', 'whose layers it is to have')
        .choices(['normalization', 'stock'])
        .makeOptionMandatory(),
    )
    .option('--lossy', "lose what tf.js's own layers do not have", false)
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
    .argument('<model>', 'a folder with a model.json, or such a file')
    .option('--json', 'print JSON', false)
    .addOption(
      new Option(
        '--import <module>',
        'load a module first, which registers custom layers; repeatable',
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
    .argument('<output>', 'the folder to write to, or the model.json in it')
    .option('--force', 'write over the model that is there', false);
}
