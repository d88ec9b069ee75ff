// Queries the worker in the runtime of Cloudflare's workers.
const {Miniflare} = require('miniflare');

async function main() {
  const worker = new Miniflare({
    modules: true,
    scriptPath: 'worker.mjs',
    compatibilityDate: '2025-01-01',
  });
  const response = await worker.dispatchFetch('http://localhost/');
  console.log(await response.text());
  await worker.dispose();
}

main();
