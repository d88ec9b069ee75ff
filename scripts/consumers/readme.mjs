import {createRequire} from 'node:module';
import {join} from 'node:path';
import {build} from 'esbuild';
import {ROOT} from './places.mjs';

/**
 * Returns the block of code in this section and language of a document, which is the
 * README unless another file is named.
 *
 * @throws Error if there is none.
 */
export async function readmeBlock({file = 'README.md', section, language}) {
  const blocks = await documentBlocks();
  const found = blocks.find(
    (block) =>
      block.place.startsWith(`${file}:`) &&
      block.section === section &&
      block.language === language,
  );
  if (found !== undefined) return found.code;
  throw new Error(`${file} has no ${language} under "${section}"`);
}

/** Returns the README's commands in this section, without their comments. */
export async function readmeCommands(section) {
  const code = await readmeBlock({section, language: 'sh'});
  return code
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
}

/** Uses the TypeScript parser of the tests of the documents. */
async function documentBlocks() {
  const folder = join(ROOT, 'test/docs');
  const outfile = join(ROOT, 'build/consumers/blocks.cjs');
  await build({
    entryPoints: [join(folder, 'blocks.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    packages: 'external',
    define: {__dirname: JSON.stringify(folder)},
    logLevel: 'warning',
  });
  return createRequire(import.meta.url)(outfile).documentBlocks();
}
