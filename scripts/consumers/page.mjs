import {createReadStream, existsSync} from 'node:fs';
import {createServer} from 'node:http';
import {extname, join} from 'node:path';
import {launchChromium} from '../chromium.mjs';
import {Skipped} from './skip.mjs';

/** The time limit of a page, in milliseconds. */
const PATIENCE = 120_000;

const HOST = '127.0.0.1';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/**
 * Opens a page in a headless Chromium and waits for its global `outcome`.
 *
 * @throws Skipped if there is no browser; Error if the page throws or complains.
 */
export async function outcomeOfPage(folder, page) {
  const browser = await launch();
  const server = await serve(folder);
  try {
    const {port} = server.address();
    const url = `http://${HOST}:${port}/${page}`;
    return await visit(browser, url, folder);
  } finally {
    server.close();
    await browser.close();
  }
}

async function launch() {
  try {
    return await launchChromium();
  } catch (error) {
    if (error.constructor.name !== 'NoBrowserError') throw error;
    throw new Skipped(error.message);
  }
}

async function visit(browser, url, folder) {
  const page = await browser.newPage();
  await standInForOthers(page, folder);
  const complaints = [];
  const failed = new Promise((_, reject) => {
    page.on('pageerror', reject);
    page.on('crash', () => reject(new Error('the page has crashed')));
  });
  // The failure may come before anything awaits it.
  failed.catch(() => undefined);
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  const ready = outcomeOf(page);
  const outcome = await Promise.race([ready, failed]).catch((error) => {
    throw new Error([error.message, ...complaints].join('\n'));
  });
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
  return outcome;
}

/** Nothing comes from the network. */
async function standInForOthers(page, folder) {
  const isOther = ({protocol, hostname}) =>
    protocol.startsWith('http') && hostname !== HOST;
  await page.route(isOther, async (route) => {
    const {hostname, pathname} = new URL(route.request().url());
    const path = join(folder, hostname, decodeURIComponent(pathname));
    if (!existsSync(path)) return route.abort();
    const headers = {'access-control-allow-origin': '*'};
    // A page asks other hosts for scripts.
    return route.fulfill({path, headers, contentType: TYPES['.js']});
  });
}

/** Not `waitForFunction`, which a page's policy may forbid. */
async function outcomeOf(page) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const outcome = await page.evaluate(() => globalThis.outcome);
    if (outcome !== undefined) return outcome;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no outcome after ${PATIENCE / 1000} s`);
}

async function serve(folder) {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const file = join(folder, decodeURIComponent(pathname));
    const type = TYPES[extname(file)];
    if (type === undefined || !existsSync(file)) {
      response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    response.writeHead(200, {'content-type': type});
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, HOST, resolve));
  return server;
}
