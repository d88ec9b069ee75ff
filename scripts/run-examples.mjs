// Runs the short examples as a reader would, and checks their output.
import {spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {launchChromium, NoBrowserError} from './chromium.mjs';

const HELP = `Usage: npm run examples [-- NAME ...]

Builds and runs the short programs in examples/, and examples/page.html in a headless
Chromium. Fails if one does not print the expected output.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The time limit of the page, in milliseconds. */
const PATIENCE = 180_000;

/** The minimum of the last percentage that each program prints. */
const PROGRAMS = {image_classifier: 80, transformer: 95, fine_tuning: 85};

const EXAMPLES = {
  ...Object.fromEntries(
    Object.entries(PROGRAMS).map(([name, least]) => [
      name,
      () => checkShare(run(name), least),
    ]),
  ),
  gan_generator: () => checkImages(run('gan_generator')),
  page: runPage,
};

await main(process.argv.slice(2));

async function main(args) {
  if (args.includes('--help')) {
    console.log(HELP);
    return;
  }
  for (const name of args.length > 0 ? args : Object.keys(EXAMPLES)) {
    console.log(`\n== ${name}`);
    try {
      if (!Object.hasOwn(EXAMPLES, name)) throw new Error('no such example');
      await EXAMPLES[name]();
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

function run(name) {
  const file = join(root, 'build', 'examples', `${name}.js`);
  const {status, stdout, stderr} = spawnSync(
    process.execPath,
    ['--no-deprecation', file],
    {encoding: 'utf8'},
  );
  process.stdout.write(stdout);
  if (status !== 0) throw new Error(`exit code ${status}\n${stderr}`);
  return stdout;
}

function checkShare(output, least) {
  const shares = [...output.matchAll(/([\d.]+)%/g)].map(([, n]) => Number(n));
  const last = shares[shares.length - 1];
  if (last >= least) return;
  throw new Error(`at least ${least}% were expected. Received: ${last}`);
}

/**
 * Checks for eight lines that have both dark and light pixels in each image.
 */
function checkImages(output) {
  const lines = output.split('\n').filter((line) => line.includes('|'));
  const images = [0, 1, 2, 3].map((i) =>
    lines.map((line) => line.split('  |  ')[i]).join(''),
  );
  const isDrawn = images.every(
    (image) => /[#%@]/.test(image) && /[ .]/.test(image),
  );
  if (lines.length === 8 && isDrawn) return;
  throw new Error(`four images were expected. Received: ${lines.length} lines`);
}

async function runPage() {
  const browser = await launch();
  if (browser === undefined) return;
  try {
    const page = await browser.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(pathToFileURL(join(root, 'examples', 'page.html')).href);
    await page
      .waitForSelector('#state[data-done]', {timeout: PATIENCE})
      .catch((error) => errors.push(error.message));
    if (process.env.SCREENSHOT)
      await page.screenshot({path: process.env.SCREENSHOT});
    const state = await page.textContent('#state');
    console.log(state);
    if (errors.length > 0) throw new Error(errors.join('\n'));
    checkShare(state, 90);
  } finally {
    await browser.close();
  }
}

/**
 * Launches a browser; prints a note and returns undefined if none is found or
 * required.
 */
async function launch() {
  try {
    return await launchChromium();
  } catch (error) {
    const isRequired = Boolean(process.env.REQUIRE_BROWSER);
    if (!(error instanceof NoBrowserError) || isRequired) throw error;
    console.log(`Skipped: ${error.message}`);
    return undefined;
  }
}
