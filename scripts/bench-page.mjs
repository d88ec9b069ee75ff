// `npm run bench:page`: builds the page that measures layers on a visitor's GPU, as static
// files in out/bench-page, and serves it, or runs it in a headless Chromium.
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Command} from 'commander';
import {build} from 'esbuild';
import {serve} from './browser/serve.mjs';
import {launchChromium} from './chromium.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, 'bench', 'page');
const out = join(root, 'out', 'bench-page');

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
  const html = readFileSync(join(page, 'index.html'));
  writeFileSync(join(out, 'index.html'), html);
}

function filesOf() {
  const names = ['index.html', 'main.js'];
  return new Map(
    names.map((name) => [`/${name}`, readFileSync(join(out, name))]),
  );
}

async function runHeadless() {
  const server = await serve(filesOf());
  const browser = await launchChromium({flags: VULKAN});
  try {
    const tab = await browser.newPage({viewport: {width: 1000, height: 900}});
    const errors = [];
    tab.on('pageerror', ({stack}) => errors.push(stack));
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

function report({devices, skipped, layers}) {
  for (const {backend, adapter} of devices) {
    console.log(`${backend}: ${adapter}`);
  }
  for (const text of skipped) console.log(`Skipped: ${text}`);
  const columns = ['stock', 'composed', 'fused', 'add'];
  console.table(
    Object.fromEntries(
      layers.map(({backend, norm, shape, cells}) => [
        `${backend}, ${norm} [${shape.join()}]`,
        Object.fromEntries(
          columns.map((name) => [
            name,
            Number(cells[name].median?.toPrecision(3)) ||
              cells[name].unavailable,
          ]),
        ),
      ]),
    ),
  );
}
