/**
 * Runs `npm start`, which shows the effect of normalization on a network that
 * reads digits.
 */
import {readData} from './dataset.js';
import {InputError, oneLine} from '../../tools/errors.js';
import {parseOptions} from './options.js';
import {checkOutput} from '../../tools/output.js';

const BAD_INPUT = 2;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, (text) => process.stdout.write(text));
  if (options === undefined) return 0;
  const data = readData(options.data, options.seed);
  checkOutput(options.out, options.norm);
  // tf.js loads slowly, so it is loaded only after the input is checked.
  const {run} = await import('./run.js');
  return run(options, data);
}

// tf.js 4.22 uses a Node module that Node 21 and later warn of.
process.noDeprecation = true;

// The reader of the output may close it early, as head does.
process.stdout.on('error', () => process.exit(1));

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof InputError)) throw error;
    console.error(oneLine(error.message));
    process.exitCode = BAD_INPUT;
  },
);
