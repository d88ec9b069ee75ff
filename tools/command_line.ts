import {
  type Command,
  CommanderError,
  InvalidArgumentError,
  Option,
  type OptionValues,
} from 'commander';
import {InputError} from './errors.js';

/**
 * Reads a command line.
 *
 * @param command Its name is the command up to the options.
 * @param print Takes the text of --help.
 * @returns undefined if the command line asks only for --help.
 * @throws InputError naming the wrong option and value.
 */
export function readCommandLine(
  command: Command,
  args: readonly string[],
  print: (text: string) => void,
): OptionValues | undefined {
  command
    .helpOption('--help', 'print this')
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({
      writeOut: print,
      // The caller prints the error's message, so commander must not.
      writeErr: () => undefined,
    });
  try {
    return command.parse(args, {from: 'user'}).opts();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new InputError(explain(error, args, `${command.name()} --help`));
  }
}

function explain(
  {message, code}: CommanderError,
  args: readonly string[],
  help: string,
): string {
  const what = message.replace(/^error: /, '').replace(/\.$/, '');
  // npm does not pass on options before the two hyphens.
  if (code === 'commander.excessArguments') {
    const values = args.join(' ');
    return `too many arguments: ${values} (options follow --: ${help})`;
  }
  return `${what} (${help})`;
}

/** Makes an option that takes one or several of these names, by default all. */
export function namesOption(
  flags: string,
  description: string,
  names: readonly string[],
  defaults = names,
): Option {
  // Commander does not count repetitions of an option: the first one replaces
  // the default.
  const repeated = new WeakSet<string[]>();
  const parseName = (text: string): string => {
    const name = names.find((known) => known === text.trim());
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`Allowed choices are ${names.join(', ')}.`);
  };
  const parseNames = (text: string, previous: string[]): string[] => {
    const added = text.split(',').map(parseName);
    const earlier = repeated.has(previous) ? previous : [];
    const all = [...new Set([...earlier, ...added])];
    repeated.add(all);
    return all;
  };
  return new Option(flags, description)
    .argParser(parseNames)
    .default([...defaults], defaults.join(','));
}

export function somePath(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('It must be a path.');
}

export function positiveInteger(text: string): number {
  return checkedNumber(
    text,
    (n) => Number.isSafeInteger(n) && n > 0,
    'a whole number from 1',
  );
}

export function positiveNumber(text: string): number {
  return checkedNumber(text, (n) => n > 0, 'a number above 0');
}

/** @throws InvalidArgumentError naming the expected value. */
export function checkedNumber(
  text: string,
  isRight: (value: number) => boolean,
  expected: string,
): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && isRight(value)) return value;
  throw new InvalidArgumentError(`It must be ${expected}.`);
}
