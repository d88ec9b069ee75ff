// Bundles for React Native, with package exports and without, reads what comes out
// as Hermes does, and runs it.
const {readFileSync} = require('node:fs');
const {TextDecoder, TextEncoder} = require('node:util');
const {createContext, runInContext} = require('node:vm');
const {parse} = require('hermes-parser');
const Metro = require('metro');

async function main() {
  for (const unstable_enablePackageExports of [true, false]) {
    const config = await Metro.loadConfig(
      {cwd: __dirname},
      {resolver: {unstable_enablePackageExports}, reporter: {update() {}}},
    );
    await Metro.runBuild(config, {
      entry: 'src/index.js',
      out: 'bundle.js',
      platform: 'ios',
      dev: false,
      minify: false,
    });
    const code = readFileSync('bundle.js', 'utf8');
    parse(code);
    const {made, wasPatched} = resultOf(code);
    if (made.length !== 3) throw new Error('not bundled');
    if (!wasPatched) throw new Error('the patch is not bundled');
  }
}

/** There is no `process` in React Native, by which tf.js knows Node. */
function resultOf(code) {
  const globals = createContext({
    ...{console, performance, setTimeout, TextDecoder, TextEncoder},
    fetch: () => undefined,
    navigator: {product: 'ReactNative'},
  });
  runInContext(code, globals);
  return globals;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
