// Tells if the native kernels can be tested: they and TensorFlow's backend must be there.
const {existsSync} = require('node:fs');
const {dirname, join} = require('node:path');
const {backends} = require('./backends.js');

let found;

/** `{why}` if they cannot be tested, `{}` if they can: the same in every call. */
function native() {
  found ??= {why: whyMissing()};
  // Required kernels must not be skipped silently.
  if (found.why !== undefined && process.env.REQUIRE_NATIVE === '1') {
    throw new Error(`the native kernels are required: ${found.why}`);
  }
  return found;
}

function whyMissing() {
  if (!backends().run.includes('tensorflow')) return 'they need tfjs-node';
  let home;
  try {
    home = dirname(require.resolve('tfjs-normalization-native/package.json'));
  } catch {
    return 'node_modules lacks tfjs-normalization-native';
  }
  const machine = `${process.platform}-${process.arch}`;
  const addon = join(home, 'prebuilt', machine, 'tfjs_normalization.node');
  return existsSync(addon) ? undefined : 'they are not built';
}

module.exports = {native};
