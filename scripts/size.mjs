// `npm run size`: measures the size that the package adds to an application,
// bundled and minified without TensorFlow.js, and gzipped. Fails above the
// limits. One layer alone costs about what all do: importing the package registers every
// layer, so that models with them load.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** In KB (1,000 bytes), gzipped. */
const LIMITS = [
  {
    what: 'batchNorm and layerNorm',
    code: `export {batchNorm, layerNorm} from 'tfjs-normalization';`,
    limit: 26,
  },
  {
    what: 'the whole package',
    code: `export * from 'tfjs-normalization';`,
    limit: 60,
  },
  {
    what: 'tfjs-normalization/patch',
    code: `import 'tfjs-normalization/patch';`,
    limit: 27,
  },
  {
    what: 'tfjs-normalization.esm.js',
    file: 'dist/tfjs-normalization.esm.js',
    limit: 60,
  },
  {
    what: 'tfjs-normalization.min.js',
    file: 'dist/tfjs-normalization.min.js',
    limit: 60,
  },
];

/** The layers' factories, each in a program of its own. */
const {layers} = createRequire(import.meta.url)(join(root, 'dist/cjs/src'));
const SINGLE = Object.keys(layers).map((name) => ({
  what: `${name} alone`,
  code: `export {${name}} from 'tfjs-normalization';`,
  limit: Infinity,
}));

const rows = [];
for (const {what, code, file, limit} of [...LIMITS, ...SINGLE]) {
  const bytes = code ? await bundle(code) : readFileSync(join(root, file));
  rows.push({what, size: gzipSync(bytes, {level: 9}).length / 1000, limit});
}
for (const {what, size, limit} of rows) {
  const verdict = size > limit ? `, ABOVE the limit of ${limit}` : '';
  console.log(`${what.padEnd(26)}${size.toFixed(1).padStart(5)} KB${verdict}`);
}
process.exitCode = rows.some(({size, limit}) => size > limit) ? 1 : 0;

async function bundle(contents) {
  const {outputFiles} = await build({
    stdin: {contents, resolveDir: root},
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['@tensorflow/*'],
    // This repository's tsconfig maps the package to its source.
    tsconfigRaw: {},
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}
