import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {Command, CommanderError, Option} from 'commander';
import {InputError} from '../../tools/errors.js';
import {ROOT} from '../digits/options.js';

/** What Keras computes with in the middle of the trip. */
export const ENGINES = ['tensorflow', 'jax'] as const;

/** The options of the command line. */
export interface Options {
  readonly engine: (typeof ENGINES)[number];
  readonly python: string;
  readonly out: string;
}

/** Where `npm run test:keras` installs Keras. */
const INSTALLED = join(ROOT, 'node_modules/.cache/keras/bin/python');

/**
 * Reads the command line.
 *
 * @param print Takes the text of --help.
 * @returns undefined if the command line asks only for --help.
 * @throws InputError naming the wrong option.
 */
export function parseOptions(
  args: readonly string[],
  print: (text: string) => void,
): Options | undefined {
  const command = new Command('npm run distributed --')
    .description(
      'Starts a model in Node, has Keras train it on two devices, and finishes it ' +
        'in Node.',
    )
    .addOption(
      new Option('--engine <name>', 'of Keras')
        .choices(ENGINES)
        .default('tensorflow'),
    )
    .option(
      '--python <path>',
      'a Python with Keras 3 and its engine',
      existsSync(INSTALLED) ? INSTALLED : 'python3',
    )
    .option('--out <folder>', 'where the models go', join('out', 'distributed'))
    .helpOption('--help', 'print this')
    .configureOutput({writeOut: print, writeErr: () => undefined})
    .exitOverride();
  try {
    return command.parse(args, {from: 'user'}).opts<Options>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new InputError(error.message.replace(/^error: /, ''));
  }
}
