// Runs the short examples, each as its reader would, and looks at what they print.
import {spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {launchChromium, NoBrowserError} from './chromium.mjs';

const HELP = `Usage: npm run examples [-- NAME ...]

Builds and runs the short programs in examples/, and examples/page.html in a headless
Chromium. Fails where one does not print what it should.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** How long the page may take, in milliseconds. */
const PATIENCE = 180_000;

/** The last percentage that a program prints, and the least it may be. */
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

/** Eight lines with something dark and something light in each image. */
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

/** A browser; undefined, said aloud, where there is none and none is required. */
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
