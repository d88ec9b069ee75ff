// Bundles tests for a page: one module per file, with shared code in chunks.
import {existsSync} from 'node:fs';
import {builtinModules} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const page = join(root, 'test', 'browser', 'page');

const shared = {
  bundle: true,
  outdir: 'out',
  write: false,
  logLevel: 'warning',
  absWorkingDir: root,
};

/** The Node modules that jest's own packages use in the page. */
const NODE = ['assert', 'path', 'url', 'util'];

/** Packages that jest's packages need only for features not used in a page. */
const UNUSED = /^(graceful-fs|jest-snapshot)$/;

const nodeForJest = {
  name: 'node-for-jest',
  setup({onResolve, onLoad, resolve}) {
    onResolve({filter: /^[^./]/}, async ({path, kind, resolveDir}) => {
      const name = path.replace(/^node:/, '');
      if (UNUSED.test(path)) return {path, namespace: 'nothing'};
      if (!builtinModules.includes(name)) return undefined;
      const own = join(page, `${name}.ts`);
      if (existsSync(own)) return {path: own};
      if (!NODE.includes(name)) return {path, namespace: 'nothing'};
      return resolve(`@jspm/core/nodelibs/${name}`, {kind, resolveDir});
    });
    onLoad({filter: /.*/, namespace: 'nothing'}, () => ({
      contents: `module.exports = new Proxy({}, {
        get: (_, name) => () => {
          throw new Error(String(name) + ' is not available in a page');
        },
      });`,
    }));
  },
};

/** In the page, fast-check is replaced by the version that counts its runs. */
const countedRuns = {
  name: 'counted-runs',
  setup({onResolve}) {
    const counted = join(page, 'fast_check.ts');
    onResolve({filter: /^fast-check$/}, ({importer}) =>
      importer === counted ? undefined : {path: counted},
    );
  },
};

/**
 * Returns files to serve, by path: `framework.js`, `setup.js` and one per test.
 */
export async function bundle(tests) {
  const results = [
    await build({
      ...shared,
      format: 'iife',
      entryPoints: {framework: join(page, 'framework.ts')},
      inject: [join(page, 'process.ts')],
      plugins: [nodeForJest],
      define: {__dirname: '"/"', 'require.resolve': 'String'},
    }),
    await build({
      ...shared,
      format: 'esm',
      splitting: true,
      plugins: [countedRuns],
      define: {
        'process.env.RANDOM_SEED': process.env.RANDOM_SEED ?? 'undefined',
      },
      entryPoints: {
        setup: join(page, 'setup.ts'),
        ...Object.fromEntries(
          tests.map((path) => [path.replace(/\.ts$/, ''), path]),
        ),
      },
    }),
  ];
  const files = new Map();
  for (const {outputFiles} of results) {
    for (const {path, contents} of outputFiles) {
      files.set(
        path.slice(join(root, 'out').length).replaceAll('\\', '/'),
        contents,
      );
    }
  }
  return files;
}
