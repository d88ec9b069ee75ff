// `npm run test:browser`: runs the tests that do not need Node, unchanged, in a
// headless Chromium, on the backends that a browser has.
import {availableParallelism} from 'node:os';
import {Command, InvalidArgumentError, Option} from 'commander';
import {bundle} from './browser/bundle.mjs';
import {Counts, describeFile} from './browser/report.mjs';
import {BACKENDS, runBackend} from './browser/run_backend.mjs';
import {serve} from './browser/serve.mjs';
import {testFiles, whyNot} from './browser/test_files.mjs';
import {launchChromium, NoBrowserError} from './chromium.mjs';

const options = new Command('npm run test:browser --')
  .description('Runs the tests in a headless Chromium.')
  .addOption(
    new Option('--backend <names...>', 'on which backends')
      .choices(Object.keys(BACKENDS))
      .default(Object.keys(BACKENDS), 'all of them'),
  )
  .option('--match <text>', 'only files whose path contains this', '')
  .option('--files <paths...>', 'these files instead of the usual ones')
  .option(
    '--property-runs <factor>',
    'factor for the runs of a property (default: as each backend allows)',
    parseFactor,
  )
  .option(
    '--json <file>',
    'write the counts and the names of failed tests there',
  )
  .parse()
  .opts();

const counts = new Counts();
try {
  await run();
} catch (error) {
  if (!(error instanceof NoBrowserError)) throw error;
  if (process.env.REQUIRE_BROWSER === '1') {
    counts.fail(`A browser is required: ${error.message}`);
  } else {
    const names = options.backend.join(', ');
    console.log(
      `Skipped: every test in a browser (${names}): ${error.message}`,
    );
  }
}
if (options.json !== undefined) counts.write(options.json);
console.log(`\n${counts}`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function run() {
  // Checks for a browser before building anything.
  await (await launchChromium()).close();
  const {match} = options;
  const all = options.files ?? testFiles();
  const files = all.filter((path) => path.includes(match));
  if (files.length === 0) {
    counts.fail(`No test file matches. Received: --match ${match}`);
    return;
  }
  // Tests that are skipped everywhere may not even bundle.
  const wanted = files.filter((path) =>
    options.backend.some((name) => whyNot(path, name) === undefined),
  );
  const server = await serve(await bundle(wanted));
  const queue = [...options.backend];
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await runOn(name, files, server.url);
    }
  };
  try {
    // One browser per worker: a GPU process does one thing at a time.
    const workers = Math.min(2, availableParallelism());
    await Promise.all(Array.from({length: workers}, worker));
  } finally {
    await server.close();
  }
}

async function runOn(name, files, url) {
  const {propertyRuns = BACKENDS[name].propertyRuns} = options;
  const browser = await launchChromium({flags: BACKENDS[name].flags});
  try {
    const results = runBackend(browser, {name, files, url, propertyRuns});
    for await (const result of results) {
      counts.add(name, result);
      console.log(describeFile(name, result));
    }
  } finally {
    await browser.close();
  }
}

function parseFactor(text) {
  const factor = Number(text);
  if (factor > 0 && factor < Infinity) return factor;
  throw new InvalidArgumentError('It must be a number above 0.');
}
