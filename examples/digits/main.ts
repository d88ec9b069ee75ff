/** `npm start`: what normalization does for a network that reads digits. */
import {readData} from './dataset.js';
import {InputError, oneLine} from './errors.js';
import {parseOptions} from './options.js';
import {checkOutput} from './output.js';

const BAD_INPUT = 2;

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, (text) => process.stdout.write(text));
  if (options === undefined) return 0;
  const data = readData(options.data, options.seed);
  checkOutput(options.out, options.norm);
  // tf.js, which takes a while, is loaded only for input that can be used.
  const {run} = await import('./run.js');
  return run(options, data);
}

// tf.js 4.22 uses a module of Node's that Node 21 and newer warn of.
process.noDeprecation = true;

// Whoever reads the output may leave, as head does.
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
