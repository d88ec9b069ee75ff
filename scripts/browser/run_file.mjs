/** Time limits, in milliseconds, for a test and for the tests of a file. */
const TEST_TIMEOUT = 60_000;
const FILE_TIMEOUT = 300_000;

/** Browser messages after which WebGL or WebGPU returns wrong numbers. */
const GPU_ERROR = /WGSL|\[Invalid |GL_INVALID|GL_OUT_OF_MEMORY|CONTEXT_LOST/;

/**
 * Runs the tests of one file in a page of its own, as jest isolates each file.
 *
 * @param {import('playwright-core').BrowserContext} context
 * @param {object} globals Values for the page's `globalThis`.
 * @returns {Promise<{tests: object[], errors: string[], seconds: number,
 *   adapter?: string}>} `errors` are those outside of any test.
 */
export async function runFile(context, url, file, globals) {
  const begin = Date.now();
  const page = await context.newPage();
  const errors = collectErrors(page);
  const done = (result) => ({
    tests: [],
    ...result,
    errors: [...errors, ...result.errors],
    seconds: (Date.now() - begin) / 1000,
  });
  const deadline = whenLost(page);
  try {
    await page.addInitScript(setGlobals, globals);
    await page.goto(`${url}/${globals.THREADED ? 'isolated' : 'page'}.html`);
    const modules = ['/setup.js', `/${file.replace(/\.ts$/, '.js')}`];
    const running = page.evaluate(runInPage, {modules, timeout: TEST_TIMEOUT});
    return done(await Promise.race([running, deadline.lost]));
  } catch (error) {
    return done({errors: [error.message]});
  } finally {
    deadline.clear();
    await page.close();
  }
}

function collectErrors(page) {
  const errors = [];
  let gpuErrors = 0;
  page.on('pageerror', ({stack}) => errors.push(stack));
  page.on('console', (message) => {
    if (!GPU_ERROR.test(message.text())) return;
    // The first error causes others.
    if (++gpuErrors === 1) errors.push(message.text());
  });
  return errors;
}

/** Rejects if the page crashes or takes too long. */
function whenLost(page) {
  let clear;
  const lost = new Promise((_, reject) => {
    const fail = (why) => reject(new Error(why));
    const late = `not done after ${FILE_TIMEOUT / 1000} s`;
    const timer = setTimeout(() => fail(late), FILE_TIMEOUT);
    clear = () => clearTimeout(timer);
    page.once('crash', () => fail('the page has crashed'));
  });
  lost.catch(() => undefined);
  return {lost, clear};
}

/* The next two functions run in the page. */

function setGlobals(globals) {
  Object.assign(globalThis, globals);
}

async function runInPage({modules, timeout}) {
  const result = await globalThis.runTests(modules, {timeout});
  return {...result, adapter: globalThis.adapter?.()};
}
