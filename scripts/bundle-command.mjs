// Bundles the command `tfjs-normalization` into one file with its dependencies,
// so that users of the layers need not install these. The package itself and
// TensorFlow.js are loaded when it runs.
import {chmodSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {build} from 'esbuild';

const EXTERNAL = ['tfjs-normalization', '@tensorflow/*'];

/** Bundles `entry` into `folder`, with the licences of the bundled packages. */
export async function bundleCommand(entry, folder) {
  const outfile = join(folder, 'tfjs-normalization.cjs');
  const {metafile} = await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: EXTERNAL,
    banner: {js: '#!/usr/bin/env node\n// Licences: LICENSES.txt'},
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  chmodSync(outfile, 0o755);
  writeFileSync(join(folder, 'LICENSES.txt'), licencesOf(metafile));
}

/** Returns the licences of the packages in a bundle. */
export function licencesOf({inputs}) {
  const packages = new Set(Object.keys(inputs).flatMap(packageOf));
  return [...packages].sort().map(licenceOf).join('\n\n');
}

/** Returns the folder of the package that a file belongs to. */
function packageOf(file) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  return match ? [match[1]] : [];
}

function licenceOf(folder) {
  const {name, version, license} = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${name} has no licence file`);
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n\n${'-'.repeat(78)}`;
}
