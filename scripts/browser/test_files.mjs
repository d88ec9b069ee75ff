import {readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Tests that run in a browser too: all in these folders of test/ … */
const FOLDERS = ['browser/page', 'kernels', 'ops', 'layers', 'models'];

/** … except these, which need Node. */
const NODE_ONLY = [];

/** The files of these tests, from the root, with `/`, that contain `match`. */
export function testFiles(match = '') {
  return FOLDERS.flatMap(testsIn)
    .filter((path) => !NODE_ONLY.includes(path))
    .filter((path) => path.includes(match));
}

function testsIn(folder) {
  return readdirSync(join(root, 'test', folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${folder}/${name}`);
}
