import {join} from 'node:path';
import {Command, Option} from 'commander';
import {checkedNumber, readCommandLine} from '../../tools/command_line.js';

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
    .option('--out <folder>', 'where the model goes', join('out', 'finetune'));
  return readCommandLine(command, args, print) as Options | undefined;
}

function seed(text: string): number {
  return checkedNumber(
    text,
    (n) => Number.isInteger(n) && n >= 0,
    'a whole number from 0',
  );
}
