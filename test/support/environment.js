// Jest runs tests in a separate realm, whose Float32Array is not the one that
// native addons and WebAssembly glue use: pass in the outer realm's.
const {TestEnvironment} = require('jest-environment-node');

const SHARED = [
  'ArrayBuffer',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'SharedArrayBuffer',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
];

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
  }

  /** A failure names the backend: all projects have the same titles. */
  handleTestEvent({name, error}) {
    if (name !== 'test_fn_failure' && name !== 'hook_failure') return;
    nameBackend(error, this.global.BACKEND);
  }
};

function nameBackend(error, backend) {
  const {message, stack} = error ?? {};
  if (typeof message !== 'string' || typeof stack !== 'string') return;
  const named = `${message}\n\nBackend: ${backend}`;
  error.stack = stack.includes(message)
    ? stack.replace(message, () => named)
    : `${named}\n${stack}`;
  error.message = named;
}
