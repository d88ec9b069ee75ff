/**
 * Runs `npm run finetune`, which fine-tunes a trained network on other digits.
 */
import {join, relative} from 'node:path';
import {readData} from '../digits/dataset.js';
import {InputError, oneLine} from '../../tools/errors.js';
import {DIGITS} from '../digits/options.js';
import {checkOutput} from '../../tools/output.js';
import {parseOptions} from './options.js';

const BAD_INPUT = 2;

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args, (text) => process.stdout.write(text));
  if (options === undefined) return;
  const data = readData(relative('', DIGITS), options.seed);
  checkOutput(options.out, []);
  // tf.js loads slowly, so it is loaded only after the input is checked.
  const {run} = await import('./run.js');
  await run({...options, out: join(options.out, 'base')}, data);
}

// tf.js 4.22 uses a Node module that Node 21 and later warn of.
process.noDeprecation = true;

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  console.error(oneLine(error.message));
  process.exitCode = BAD_INPUT;
});
