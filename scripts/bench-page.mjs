// `npm run bench:page`: builds the page that measures layers on a visitor's GPU, as static
// files in out/bench-page, and serves it, or runs it in a headless Chromium.
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Command} from 'commander';
import {build} from 'esbuild';
import {serve} from './browser/serve.mjs';
import {launchChromium} from './chromium.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'bench', 'page');
const out = join(root, 'out', 'bench-page');
const DIGITS = join(root, 'examples', 'digits', 'data', 'digits.csv');

/** tf.js reads tensors synchronously on webgpu through a canvas, which needs this there. */
const VULKAN = ['--enable-features=Vulkan', '--use-vulkan=swiftshader'];
const SECOND = 1000;

const options = new Command('npm run bench:page --')
  .description(
    'Builds the benchmark page into out/bench-page and serves it on this machine.',
  )
  .option('--build-only', 'do not serve it')
  .option('--headless', 'run it in a headless Chromium, and print its table')
  .option('--query <text>', 'as in the address', 'run')
  .option('--json <file>', 'write the results there, with --headless')
  .option('--screenshot <file>', 'a picture of the page, with --headless')
  .option('--width <pixels>', 'the width of the page, with --headless', '1000')
  .option('--patience <seconds>', 'the longest run, with --headless', '1800')
  .parse()
  .opts();

await buildPage();
console.log('Built: out/bench-page');
if (options.headless) await runHeadless();
else if (!options.buildOnly) {
  const {url} = await serve(filesOf());
  console.log(`Open ${url}/index.html (Ctrl-C ends it).`);
}

async function buildPage() {
  await build({
    entryPoints: [join(page, 'main.ts')],
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    absWorkingDir: root,
    logLevel: 'warning',
    alias: {
      'node:os': join(page, 'node.ts'),
      'node:timers/promises': join(page, 'node.ts'),
    },
  });
  mkdirSync(out, {recursive: true});
  copyFileSync(join(page, 'index.html'), join(out, 'index.html'));
  copyFileSync(DIGITS, join(out, 'digits.csv'));
}

function filesOf() {
  const names = ['index.html', 'main.js', 'digits.csv'];
  return new Map(
    names.map((name) => [`/${name}`, readFileSync(join(out, name))]),
  );
}

async function runHeadless() {
  const server = await serve(filesOf());
  const browser = await launchChromium({flags: VULKAN});
  try {
    const viewport = {width: Number(options.width), height: 900};
    const tab = await browser.newPage({viewport});
    const errors = [];
    tab.on('pageerror', ({stack}) => errors.push(stack));
    tab.on('console', (message) => {
      if (message.type() === 'info') console.error(message.text());
    });
    await tab.goto(`${server.url}/index.html?${options.query}`);
    await tab.waitForSelector('body[data-done]', {
      timeout: SECOND * Number(options.patience),
    });
    const results = await tab.evaluate(() => globalThis.resultsOf());
    if (options.screenshot) {
      await tab.screenshot({path: options.screenshot, fullPage: true});
    }
    if (results === undefined || errors.length > 0) {
      const state = await tab.textContent('#state');
      throw new Error([state, ...errors].join('\n'));
    }
    report(results);
    if (options.json) {
      writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

function report({devices, skipped, layers, digits}) {
  for (const {backend, adapter} of devices) {
    console.log(`${backend}: ${adapter}`);
  }
  for (const text of skipped) console.log(`Skipped: ${text}`);
  printTable(
    layers,
    ['stock', 'composed', 'fused', 'add'],
    ({backend, norm, shape, mode}) =>
      `${backend}, ${norm} [${shape.join()}], ${mode}`,
  );
  printTable(
    digits,
    ['plain', 'fused', 'composed', 'stock'],
    ({backend}) => `${backend}, an epoch of digits`,
  );
}

/** Prints medians in milliseconds, if there are any. */
function printTable(rows, columns, labelOf) {
  if (rows.length === 0) return;
  const cellOf = ({median, unavailable}) =>
    unavailable ?? Number(median.toPrecision(3));
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        labelOf(row),
        Object.fromEntries(
          columns.map((name) => [name, cellOf(row.cells[name])]),
        ),
      ]),
    ),
  );
}
