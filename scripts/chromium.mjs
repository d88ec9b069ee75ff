// Starts a headless Chromium that needs no system package, for tests that run
// in a browser.
import {execFileSync} from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

const PACKAGE = '@sparticuz/chromium';
const INSTALLED = ['chrome', 'msedge'];

/** WebGL and WebGPU in software, and no requests except those of the page. */
const FLAGS = [
  '--enable-unsafe-swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--no-sandbox',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

/** No browser was found: a reason to skip tests that need one. */
export class NoBrowserError extends Error {}

/**
 * Starts a playwright-core `Browser`: the one at CHROME_PATH, else the one in
 * @sparticuz/chromium (Linux x64), else an installed Chrome or Edge.
 * WebGPU needs a secure context: serve the page on 127.0.0.1 or localhost.
 *
 * @param options.flags Additional command-line flags of the browser.
 * @throws NoBrowserError if none is found; Error if CHROME_PATH is not a file
 *   or the browser does not start.
 */
export async function launchChromium({flags = []} = {}) {
  const args = [...FLAGS, ...flags];
  const path = process.env.CHROME_PATH || unpackedChromium();
  if (path === undefined) return launchInstalled(args);
  if (existsSync(path)) return chromium.launch({executablePath: path, args});
  throw new Error(
    `launchChromium: there is no such file. Received: CHROME_PATH=${path}`,
  );
}

async function launchInstalled(args) {
  for (const channel of INSTALLED) {
    try {
      return await chromium.launch({channel, args});
    } catch (error) {
      if (!/is not found/.test(error.message)) throw error;
    }
  }
  throw new NoBrowserError(
    `launchChromium: no browser was found: CHROME_PATH is not set, ` +
      `${PACKAGE} (Linux on x64) is not there, and neither Chrome nor Edge ` +
      `is installed. Received: platform=${process.platform} ${process.arch}`,
  );
}

/** Returns the path of @sparticuz/chromium's browser, unpacked on first use. */
function unpackedChromium() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = packageFolder();
  if (folder === undefined) return undefined;
  const {version} = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const cache = join(dirname(dirname(folder)), '.cache');
  const home = join(cache, `chromium-${version}`);
  if (!existsSync(home)) unpack(cache, home);
  return join(home, 'chromium');
}

function packageFolder() {
  try {
    const main = createRequire(import.meta.url).resolve(PACKAGE);
    return main.slice(0, main.lastIndexOf(join(PACKAGE)) + PACKAGE.length);
  } catch {
    return undefined;
  }
}

/**
 * The package unpacks into the temporary folder of its process and trusts any
 * files there, even if an earlier run was killed halfway. So a separate process
 * gets an empty folder, which is then renamed into place.
 */
function unpack(cache, home) {
  mkdirSync(cache, {recursive: true});
  const folder = mkdtempSync(`${home}-`);
  try {
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import chromium from '${PACKAGE}'; await chromium.executablePath();`,
      ],
      {
        cwd: dirname(fileURLToPath(import.meta.url)),
        env: {...process.env, TMPDIR: folder},
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    );
    renameSync(folder, home);
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(home)) throw error;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}
