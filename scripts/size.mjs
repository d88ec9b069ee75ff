// `npm run size`: measures the size that the package adds to an application,
// bundled and minified without TensorFlow.js, and gzipped. Fails above the
// limits. The kernels for webgl and webgpu, which an application can leave out as
// docs/performance.md shows, are counted apart, and so is what `.keras` files take.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gzipSync} from 'node:zlib';
import {build} from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const WHOLE = `export * from 'tfjs-normalization';`;

/** In KB (1,000 bytes), gzipped. */
const LIMITS = [
  {
    what: 'batchNorm and layerNorm',
    code: `export {batchNorm, layerNorm} from 'tfjs-normalization';`,
    limit: 26,
  },
  {
    what: 'all layers and ops',
    code: `import {layers, ops, register} from 'tfjs-normalization';
      register();
      console.log(layers, ops);`,
    limit: 60,
  },
  {
    what: 'tfjs-normalization/patch',
    code: `import 'tfjs-normalization/patch';`,
    limit: 27,
  },
  {
    what: 'all but the kernels for GPUs',
    code: WHOLE,
    limit: 65,
  },
  {
    what: 'the whole package',
    code: WHOLE,
    withGpu: true,
    limit: 77,
  },
  {
    what: 'tfjs-normalization.esm.js',
    file: 'dist/tfjs-normalization.esm.js',
    limit: 77,
  },
  {
    what: 'tfjs-normalization.min.js',
    file: 'dist/tfjs-normalization.min.js',
    limit: 77,
  },
];

/** The layers' factories, each in a program of its own. */
const {layers} = createRequire(import.meta.url)(join(root, 'dist/cjs/src'));
const SINGLE = Object.keys(layers).map((name) => ({
  what: `${name} alone`,
  code: `export {${name}} from 'tfjs-normalization';`,
  limit: Infinity,
}));

/** Without the kernels for GPUs, as docs/performance.md shows it. */
const WITHOUT_GPU = {
  name: 'without-gpu',
  setup({onLoad}) {
    onLoad({filter: /\/backends\/web(gl|gpu)\/kernels\.js$/}, () => ({
      contents: `export const webgl = {name: 'webgl'}, webgpu = {name: 'webgpu'};`,
    }));
  },
};

const rows = [];
for (const {what, code, file, withGpu, limit} of [...LIMITS, ...SINGLE]) {
  const bytes = code
    ? await bundle(code, withGpu)
    : readFileSync(join(root, file));
  rows.push({what, size: gzipped(bytes), limit});
}
const sizeOf = (name) => rows.find(({what}) => what === name).size;
const withKeras = await bundle(
  `${WHOLE} export * from 'tfjs-normalization/keras';`,
  true,
);
rows.push({
  what: 'tfjs-normalization/keras, added',
  size: gzipped(withKeras) - sizeOf('the whole package'),
  limit: 20,
});
rows.push({
  what: 'kernels for webgl and webgpu',
  size: sizeOf('the whole package') - sizeOf('all but the kernels for GPUs'),
  // 12 as it is printed.
  limit: 12.05,
});
for (const {what, size, limit} of rows) {
  const verdict = size > limit ? `, ABOVE the limit of ${limit}` : '';
  console.log(`${what.padEnd(32)}${size.toFixed(1).padStart(5)} KB${verdict}`);
}
process.exitCode = rows.some(({size, limit}) => size > limit) ? 1 : 0;

function gzipped(bytes) {
  return gzipSync(bytes, {level: 9}).length / 1000;
}

async function bundle(contents, withGpu = false) {
  const {outputFiles} = await build({
    stdin: {contents, resolveDir: root},
    bundle: true,
    minify: true,
    format: 'esm',
    external: ['@tensorflow/*'],
    plugins: withGpu ? [] : [WITHOUT_GPU],
    // This repository's tsconfig maps the package to its source.
    tsconfigRaw: {},
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}
