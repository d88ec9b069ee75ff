import {join} from 'node:path';
import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {InputError} from '../../tools/errors.js';

/** The backends that can train convolutions, the preferred one first. */
export const BACKENDS = ['tensorflow', 'cpu'] as const;

/** The options of the command line. */
export interface Options {
  /** Defaults to the first that loads. */
  backend?: (typeof BACKENDS)[number];
  seed: number;
  out: string;
}

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
  const command = new Command('npm run finetune --')
    .description(
      'Trains a network on the digits 0 to 4 and fine-tunes it on 5 to 9, with ' +
        'its batch normalization frozen, and not.',
    )
    .addOption(
      new Option('--backend <name>', 'default: the first that loads').choices(
        BACKENDS,
      ),
    )
    .option('--seed <n>', 'the same seed, the same run', seed, 1)
    .option('--out <folder>', 'where the model goes', join('out', 'finetune'))
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

function seed(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}
