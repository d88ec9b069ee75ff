// Puts the import map of docs/install.md into the page, and what it names into a folder
// that stands in for jsDelivr.
import {cpSync, readFileSync, writeFileSync} from 'node:fs';
import {build} from 'esbuild';

const CDN = 'public/cdn.jsdelivr.net';

const map = readFileSync('import-map.json', 'utf8');
const page = readFileSync('public/index.html', 'utf8');
writeFileSync(
  'public/index.html',
  page.replace('"importmap">', (tag) => `${tag}${map}`),
);
cpSync('shared', 'public/shared', {recursive: true});

const {imports} = JSON.parse(map);
const core = imports['@tensorflow/tfjs-core'];
const backend = core.replace('tfjs-core', 'tfjs-backend-webgl');
const provided = new Set();
for (const url of [...Object.values(imports), backend]) await provide(url);

async function provide(url) {
  if (provided.has(url)) return;
  provided.add(url);
  const {pathname} = new URL(url);
  const [, name, version, file] =
    /^\/npm\/((?:@[^/]+\/)?[^/@]+)@([^/]+)\/(.+)$/.exec(pathname);
  const installed = versionOf(name);
  if (version !== installed) {
    throw new Error(`the map names ${url}, and ${installed} is installed`);
  }
  if (file.endsWith('+esm')) {
    const module = `${name}/${file}`.replace('/+esm', '');
    await bundle(name, module, `${CDN}${pathname}`);
  } else {
    cpSync(`node_modules/${name}/${file}`, `${CDN}${pathname}`);
  }
}

/**
 * Does what jsDelivr does for /+esm: bundles a module with what it imports from its
 * own package, and has it import other packages, or files of them, from their own
 * /+esm. Here that is so for tf.js's packages alone.
 */
async function bundle(name, module, outfile) {
  const others = new Set();
  await build({
    entryPoints: [module],
    outfile,
    bundle: true,
    format: 'esm',
    plugins: [
      {
        name: 'others',
        setup({onResolve}) {
          onResolve({filter: /^@tensorflow\//}, ({path, kind}) => {
            if (kind === 'entry-point') return undefined;
            const [, other, file] = /^(@[^/]+\/[^/]+)(.*)$/.exec(path);
            const at = `/npm/${other}@${versionOf(other)}${file}/+esm`;
            others.add(at);
            return {path: at, external: true};
          });
        },
      },
    ],
  });
  for (const other of others) await provide(new URL(other, core).href);
}

function versionOf(name) {
  const file = `node_modules/${name}/package.json`;
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
