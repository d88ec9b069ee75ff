import {readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Tests that also run in a browser: all in these folders of test/ … */
const FOLDERS = [
  'browser/page',
  'kernels',
  'ops',
  'layer_support',
  'layers',
  'statistics',
  'models',
];

/** … except these: the backends they do not run on, and the reason. */
const EXCEPT = {
  'test/kernels/backends/cpu.test.ts': {why: 'tests the cpu backend'},
  'test/kernels/backends/webgpu.test.ts': {
    on: ['webgl', 'wasm', 'wasm-threaded'],
    why: 'tests the webgpu backend',
  },
  'test/kernels/backends/webgl.test.ts': {
    on: ['webgpu', 'wasm', 'wasm-threaded'],
    why: 'tests the webgl backend',
  },
  'test/kernels/registry.test.ts': {
    why: 'reloads modules, which only jest can',
  },
  'test/kernels/memory.test.ts': {
    on: ['webgl', 'webgpu'],
    why: "inspects wasm's heap and Node's process",
  },
  'test/layers/masks_in_models.test.ts': {
    on: ['webgpu'],
    why: "trains recurrent layers under masks, which tf.js's shader cannot transpose",
  },
  'test/models/fold/fold_batch_norm.test.ts': {
    on: ['webgpu'],
    why: "adds biases to tensors of rank 5, for which tf.js's shader does not compile",
  },
  'test/models/fold/find_fold.test.ts': {
    on: ['webgpu'],
    why: "predicts with a recurrent layer under a mask, which tf.js's shader cannot transpose",
  },
  'test/models/function_options.test.ts': {
    why: 'also calls functions that only Node has',
  },
};

for (const path of [
  'keras/family',
  'keras/from_keras',
  'keras/from_keras_file',
  'keras/from_keras_details',
  'keras/from_keras_fuzz',
  'keras/renamed_models',
  'keras/shared_and_nested',
  'keras/spectral',
  'keras/from_keras_layers',
  'keras/from_keras_malformed',
  'keras/from_keras_masks',
  'keras/from_keras_refusals',
  'keras/from_keras_unmasked',
  'keras/from_keras_weights',
  'keras/keras_files_made_anew',
  'keras/keras_made_anew',
  'keras/tfjs_layers',
  'keras/to_keras_file',
  'stock/keras_to_stock',
]) {
  EXCEPT[`test/models/${path}.test.ts`] = {
    why: "reads Keras's files from disk",
  };
}

/** Lists these test files, relative to the root, with `/`. */
export function testFiles() {
  return FOLDERS.flatMap(testsIn);
}

/** Returns the reason why a file does not run on a backend, if it does not. */
export function whyNot(path, backend) {
  const {on, why} = EXCEPT[path] ?? {on: []};
  return on === undefined || on.includes(backend) ? why : undefined;
}

function testsIn(folder) {
  return readdirSync(join(root, 'test', folder), {recursive: true})
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}
