// Builds the page, and fails if this package brings in another package of tfjs.
import {copyFileSync} from 'node:fs';
import {build} from 'esbuild';

const OURS = 'tfjs-normalization';
const ALLOWED = [OURS, '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers'];

const {metafile} = await build({
  entryPoints: ['src/main.js'],
  outfile: 'public/bundle.js',
  bundle: true,
  minify: true,
  format: 'esm',
  metafile: true,
});

const packageOf = (path) =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;

const ours = Object.entries(metafile.inputs).filter(
  ([file]) => packageOf(file) === OURS,
);
const brought = ours
  .flatMap(([, {imports}]) => imports)
  .map(({path}) => packageOf(path));
const others = [...new Set(brought)].filter((name) => !ALLOWED.includes(name));
if (ours.length === 0)
  throw new Error('tfjs-normalization is not in the bundle');
if (others.length > 0) {
  throw new Error(`tfjs-normalization brings in ${others.join(', ')}`);
}

const binaries = ['', '-simd', '-threaded-simd'];
for (const binary of binaries.map((kind) => `tfjs-backend-wasm${kind}.wasm`)) {
  copyFileSync(
    `node_modules/@tensorflow/tfjs-backend-wasm/dist/${binary}`,
    `public/${binary}`,
  );
}
