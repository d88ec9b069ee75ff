import {runFile} from './run_file.mjs';
import {whyNot} from './test_files.mjs';

/**
 * `name` is tfjs's name of the backend. `propertyRuns`: software that emulates
 * a GPU recompiles shaders for each shape, so properties get only a part of
 * their runs there; in Node they get all.
 */
export const BACKENDS = {
  webgl: {name: 'webgl', propertyRuns: 0.1},
  webgpu: {
    name: 'webgpu',
    propertyRuns: 0.1,
    // tfjs reads tensors synchronously through a canvas, which needs this here.
    flags: ['--enable-features=Vulkan', '--use-vulkan=swiftshader'],
  },
  wasm: {name: 'wasm', propertyRuns: 1},
  'wasm-threaded': {name: 'wasm', propertyRuns: 1, threaded: true},
};

/**
 * Prints the adapter and runs files one after the other on a backend.
 *
 * @param {import('playwright-core').Browser} browser
 */
export async function* runBackend(browser, {name, files, url, propertyRuns}) {
  const backend = BACKENDS[name];
  const context = await browser.newContext();
  let adapter;
  for (const file of files) {
    const why = whyNot(file, name);
    if (why !== undefined) {
      console.log(`${name}  Skipped: ${file}: ${why}`);
      continue;
    }
    const result = await runFile(context, url, file, {
      BACKEND: backend.name,
      NATIVE: false,
      THREADED: backend.threaded ?? false,
      PROPERTY_RUNS: propertyRuns,
    });
    if (adapter === undefined && result.adapter !== undefined) {
      adapter = result.adapter;
      const version = `Chromium ${browser.version()}`;
      const runs = `${propertyRuns} of the runs of properties`;
      console.log(`${name}: ${adapter}, in ${version}, ${runs}`);
    }
    yield {...result, file};
  }
}
