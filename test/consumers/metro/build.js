// Bundles for React Native, with and without package exports, and parses the
// result as Hermes does.
const {readFileSync} = require('node:fs');
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
    if (!code.includes('TfjsNormalization/')) throw new Error('not bundled');
    parse(code);
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
