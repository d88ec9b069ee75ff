/**
 * Runs `npm run distributed`, which takes a model from Node to Keras on several devices
 * and back.
 */
import {InputError, oneLine} from '../../tools/errors.js';
import {checkOutput} from '../../tools/output.js';
import {parseOptions} from './options.js';

const BAD_INPUT = 2;

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args, (text) => process.stdout.write(text));
  if (options === undefined) return;
  checkOutput(options.out, []);
  // tf.js loads slowly, so it is loaded only after the input is checked.
  const {run} = await import('./run.js');
  await run(options);
}

// tf.js 4.22 uses a Node module that Node 21 and later warn of.
process.noDeprecation = true;

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  console.error(oneLine(error.message));
  process.exitCode = BAD_INPUT;
});
