// Selects the backends that the tests run on, with reasons for skipping others.
const {spawnSync} = require('node:child_process');

const ALL = ['cpu', 'wasm', 'tensorflow'];

let found;

/** `{run: [name], skipped: [{name, why}]}`, the same in every call. */
function backends() {
  found ??= findBackends();
  return found;
}

function findBackends() {
  const why = whyTensorflowIsMissing();
  if (why === undefined) return {run: ALL, skipped: []};
  // Required backends must not be skipped silently.
  if ((process.env.REQUIRE_BACKENDS ?? '').split(',').includes('tensorflow')) {
    throw new Error(`the backend tensorflow is required: ${why}`);
  }
  const run = ALL.filter((name) => name !== 'tensorflow');
  return {run, skipped: [{name: 'tensorflow', why}]};
}

/** A separate process, since a failing native addon may crash its process. */
function whyTensorflowIsMissing() {
  const polyfill = require.resolve('./node_polyfill.js');
  const {status, stderr} = spawnSync(
    process.execPath,
    ['-r', polyfill, '-e', "require('@tensorflow/tfjs-node')"],
    {encoding: 'utf8', cwd: __dirname},
  );
  if (status === 0) return undefined;
  const line = stderr.split('\n').find((text) => /^\w*Error/.test(text));
  return `@tensorflow/tfjs-node does not load (${line ?? `exit ${status}`})`;
}

module.exports = {backends};
