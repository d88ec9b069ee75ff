import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {Command, Option} from 'commander';
import {readCommandLine} from '../../tools/command_line.js';
import {ROOT} from '../digits/options.js';

/** The engines of Keras that may compute in the middle of the trip. */
export const ENGINES = ['tensorflow', 'jax'] as const;

/** The options of the command line. */
export interface Options {
  readonly engine: (typeof ENGINES)[number];
  readonly python: string;
  readonly out: string;
}

/** The Python that `npm run test:keras` installs Keras for. */
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
    .option(
      '--out <folder>',
      'where the models go',
      join('out', 'distributed'),
    );
  return readCommandLine(command, args, print) as Options | undefined;
}
