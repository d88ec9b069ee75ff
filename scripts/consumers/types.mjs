import {join} from 'node:path';
import {run} from './command.mjs';

/**
 * Compiles a project with its own TypeScript.
 *
 * @returns The number of errors in the declarations of other packages.
 * @throws Error if the project's files or this package's have one.
 */
export async function checkTypes(folder) {
  const tsc = join(folder, 'node_modules/.bin/tsc');
  const errors = errorsIn(await printedBy(tsc, folder));
  const ours = errors.filter(
    ({file}) =>
      !file.includes('node_modules/') ||
      file.includes('node_modules/tfjs-normalization/'),
  );
  if (ours.length === 0) return errors.length;
  throw new Error(ours.map(({line}) => line).join('\n'));
}

/** tsc exits with an error if any file has one. */
async function printedBy(tsc, cwd) {
  try {
    return await run(tsc, ['--project', '.', '--pretty', 'false'], {cwd});
  } catch (error) {
    if (errorsIn(error.stdout).length > 0) return error.stdout;
    throw error;
  }
}

function errorsIn(text = '') {
  return text
    .split('\n')
    .map((line) => ({line, file: /^(.*?)\(\d+,\d+\): error/.exec(line)?.[1]}))
    .filter(({file}) => file !== undefined);
}
