// Bundles the package into one file for pages without a bundler: for a <script> tag,
// which takes TensorFlow.js from the global `tf` and gives the global
// `tfjsNormalization`; and as an ES module, which imports TensorFlow.js by name.
import {build} from 'esbuild';

export const GLOBAL_NAME = 'tfjsNormalization';

const TAKEN_FROM_GLOBAL = /^@tensorflow\/tfjs-(core|layers)$/;

/** Replacement for tfjs-core and tfjs-layers. `tf` has the names of both. */
const GLOBAL_TF = `
const {tf} = globalThis;
if (tf === undefined || tf.layers === undefined) {
  throw new Error(
    'tfjs-normalization: there is no TensorFlow.js. Load tf.min.js by a script ' +
      'before this one. Received: tf=' + tf,
  );
}
module.exports = tf;
`;

const globalTf = {
  name: 'global-tf',
  setup({onResolve, onLoad}) {
    onResolve({filter: TAKEN_FROM_GLOBAL}, () => ({
      path: 'tf',
      namespace: 'global-tf',
    }));
    onLoad({filter: /^/, namespace: 'global-tf'}, () => ({
      contents: GLOBAL_TF,
      loader: 'js',
    }));
  },
};

const SHARED = {
  bundle: true,
  minify: true,
  target: 'es2020',
  sourcemap: true,
  logLevel: 'warning',
  legalComments: 'none',
};

/** Bundles the ES module `entry` into the file `outfile`, with a source map. */
export async function bundleForScriptTag(entry, outfile) {
  await build({
    ...SHARED,
    entryPoints: [entry],
    outfile,
    format: 'iife',
    globalName: GLOBAL_NAME,
    plugins: [globalTf],
  });
}

/** Bundles an ES module whose only imports are tfjs-core and tfjs-layers. */
export async function bundleAsModule(entry, outfile) {
  await build({
    ...SHARED,
    entryPoints: [entry],
    outfile,
    format: 'esm',
    external: ['@tensorflow/*'],
  });
}
