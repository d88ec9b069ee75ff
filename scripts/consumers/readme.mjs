import {createRequire} from 'node:module';
import {join} from 'node:path';
import {build} from 'esbuild';
import {ROOT} from './places.mjs';

/**
 * Returns the README's block of code in this section and language.
 *
 * @throws Error if there is none.
 */
export async function readmeBlock({section, language}) {
  const blocks = await documentBlocks();
  const found = blocks.find(
    (block) =>
      block.place.startsWith('README.md:') &&
      block.section === section &&
      block.language === language,
  );
  if (found !== undefined) return found.code;
  throw new Error(`README.md has no ${language} under "${section}"`);
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
