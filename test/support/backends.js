// Which backends the tests run on, and which they skip and why.
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
  // The gate must not pass on a machine that tests less.
  if ((process.env.REQUIRE_BACKENDS ?? '').split(',').includes('tensorflow')) {
    throw new Error(`the backend tensorflow is required: ${why}`);
  }
  const run = ALL.filter((name) => name !== 'tensorflow');
  return {run, skipped: [{name: 'tensorflow', why}]};
}

/** A process of its own: a native addon that fails may take its process along. */
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
