/** Runs `npm run bench`, which times normalization here and elsewhere. */
import {InputError, oneLine} from '../tools/errors.js';
import {chooseNative} from './native.js';
import {parseOptions} from './options.js';

const BAD_INPUT = 2;

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args, (text) => process.stdout.write(text));
  if (options === undefined) return;
  chooseNative(options.native);
  // tf.js loads slowly, so it is loaded only after the input is checked.
  if (options.overhead) {
    const {overheadTables} = await import('./overhead.js');
    console.log(await overheadTables(options.backend));
    return;
  }
  const {run} = await import('./run.js');
  const {tablesOf} = await import('./table.js');
  const {results, files} = await run(options);
  console.log(tablesOf(results));
  console.log(`\nWritten in ${results.seconds} s: ${files.join(', ')}`);
}

// tf.js 4.22 uses a Node module that Node 21 and later warn of.
process.noDeprecation = true;

main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  console.error(oneLine(error.message));
  process.exitCode = BAD_INPUT;
});
