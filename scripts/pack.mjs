// Packs the package as it would be published.
import {execFileSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Packs the existing dist/, without rebuilding it.
 *
 * @returns `{path, size, files}` of the tarball that it puts into `folder`;
 *   size is in bytes, and files are paths inside the package.
 */
export function packInto(folder) {
  const where = ['--pack-destination', folder];
  const printed = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', ...where],
    {
      cwd: root,
      encoding: 'utf8',
      // Warnings about a user's npm settings do not matter here.
      env: {...process.env, npm_config_loglevel: 'error'},
      shell: process.platform === 'win32',
    },
  );
  const [{filename, size, files}] = Object.values(JSON.parse(printed));
  return {
    path: join(folder, filename),
    size,
    files: files.map(({path}) => path),
  };
}
